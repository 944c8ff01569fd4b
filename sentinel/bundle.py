"""Evidence export: one file to check a case, a decision, a customer, a period or the whole log.

The file holds the leaf of every record of the log, not only of those asked for. With all leaves
the verifier can rebuild the root at any size, so any checkpoint copied in the past will do, and
it can say where a log differs. The export judges nothing: it writes what the tables say.
"""

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from django.db import connection, transaction

from sentinel.disclosing import disclosures
from sentinel.entities import current_entity
from sentinel.log.note import cosigning, origin_of
from sentinel.log.proofs import key_ring, latest_checkpoint

FORMAT = "frontline-evidence/v1"
CHUNK = 2000
_LEAVES = "SELECT idx, leaf, record_id FROM sentinel_leaf ORDER BY idx"
_ENTRY = """
SELECT l.idx, (extract(epoch FROM r.recorded_at) * 1000000)::bigint, r.body
FROM sentinel_record r LEFT JOIN sentinel_leaf l ON l.record_id = r.id
"""
_POLICIES = "SELECT digest, content FROM sentinel_bundle ORDER BY digest"
# Keys, the beginning and the rules published belong to every export, whatever was asked for.
_ALWAYS = "r.kind IN ('key', 'genesis', 'publication')"
_IN_TIME = """(%(since)s::timestamptz IS NULL OR {at} >= %(since)s)
 AND (%(until)s::timestamptz IS NULL OR {at} < %(until)s)"""
# Which records belong to what was asked for, and which decisions.
_RECORDS = {
    "case": "(r.case_id = %(id)s OR r.decision_id IN"
    " (SELECT d.decision_id FROM sentinel_record d WHERE d.case_id = %(id)s))",
    "decision": "r.decision_id = %(id)s",
    "customer": "r.decision_id IN (SELECT d.id FROM sentinel_decision d WHERE d.subject = %(id)s)"
    " AND {time}",
    "period": "{time}",
}
_DECISIONS = {
    "log": "true",
    "case": "d.case_id = %(id)s",
    "decision": "d.id = %(id)s",
    "customer": "d.subject = %(id)s AND {time}",
    "period": "{time}",
}
# That somebody was forgotten goes with what was decided about them, and with nothing else.
_ERASED = """(r.kind = 'erasure' AND EXISTS (SELECT FROM sentinel_decision d WHERE ({decisions})
 AND d.subject = convert_from(r.body, 'UTF8')::jsonb #>> '{{content,subject}}'))"""
# The passkeys of whoever approved go with the approvals, so that whose signature it is can be told.
_PASSKEYS = """(r.kind = 'factor' AND position('"method":"passkey"'::bytea in r.body) > 0 AND EXISTS
 (SELECT FROM sentinel_approval a JOIN sentinel_approval_request q ON q.id = a.request_id
 WHERE position(convert_to('"principal":"' || a.approver_id || '"', 'UTF8') in r.body) > 0
 AND q.decision_id IN (SELECT r.decision_id FROM sentinel_record r
 WHERE r.kind = 'approval' AND ({records}))))"""
_WHOLE_LOG = "l.idx IS NOT NULL OR r.id NOT IN (SELECT record_id FROM sentinel_pending)"
_SEALED = (
    "SELECT EXISTS (SELECT FROM sentinel_record r"
    " JOIN sentinel_leaf l ON l.record_id = r.id WHERE {records})"
)
_CHECKPOINTS = """
SELECT c.size, c.frontier, c.note, array(SELECT s.line FROM sentinel_cosignature s
    WHERE s.entity = c.entity AND s.size = c.size ORDER BY s.witness)
FROM sentinel_checkpoint c ORDER BY c.size
"""
_README = """Evidence exported by Frontline
==============================

Check it without the bank and without a network:

    python frontline_verify.py THIS-FILE.zip --checkpoint "THE CHECKPOINT YOU COPIED"

leaves.txt         number, RFC 6962 leaf hash and id of every record of the log
entries.txt        number, time in microseconds since 1970 and words of the records exported;
                   leaf = SHA-256(0x00, "frontline/record/v1", 0x00, time as 8 bytes, words)
checkpoints.jsonl  every checkpoint the log signed, as a C2SP signed note, with its subtrees
policies/          the bundles of rules, each under its name,
                   SHA-256("frontline/policy-bundle/v1", 0x00, text)
inputs.jsonl       if they were asked for, the clear values of decisions: what was asked, the facts
                   and what the rules were shown. Each opens the commitment in its record:
                   HMAC-SHA256(key, "frontline/decision-values/v2", 0x00, values).
                   They are personal data: hand them only to whom they concern or who may see them.
                   Of who was forgotten it only says that the values were erased; their record
                   and its commitment are still there, and so is the record of the erasure

With cedarpy installed, the decisions whose values are here are asked again of their own rules.

What it cannot show: anything after the checkpoint you hold, and anything never recorded. An
export of a part cannot show that it has all of that part; the whole log can.
"""


class NothingToExport(LookupError):
    """Nothing is sealed yet under what was asked for, so nothing could be proved."""

    code = "nothing_to_export"
    is_retryable = True

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was exported."""

    origin: str
    scope: str
    size: int
    records: int
    short_checkpoint: str


@dataclass(frozen=True, slots=True)
class _Scope:
    kind: str
    id: UUID | str | None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def words(self) -> str:
        named = self.kind if self.id is None else f"{self.kind} {self.id}"
        since = f" from {self.since.isoformat()}" if self.since else ""
        return named + since + (f" until {self.until.isoformat()}" if self.until else "")

    @property
    def parameters(self) -> dict[str, Any]:
        return {"id": self.id, "since": self.since, "until": self.until}


def export_evidence(
    *,
    case_id: UUID | None = None,
    decision_id: UUID | None = None,
    customer: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    is_disclosed: bool = False,
) -> bytes:
    """Return the evidence of a case, decision, customer, period or of the whole log as a zip file.

    With `is_disclosed` it holds the clear values of exactly those decisions, too.

    Raises:
        NothingToExport: no checkpoint covers a record of it yet, or there is none.
        ValueError: more than one of case, decision and customer was named, or a period with the
            first two.
    """
    target = io.BytesIO()
    write_evidence(
        target=target,
        case_id=case_id,
        decision_id=decision_id,
        customer=customer,
        since=since,
        until=until,
        is_disclosed=is_disclosed,
    )
    return target.getvalue()


def write_evidence(  # noqa: PLR0913 - see `export_evidence`
    *,
    target: IO[bytes],
    case_id: UUID | None = None,
    decision_id: UUID | None = None,
    customer: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    is_disclosed: bool = False,
) -> Evidence:
    """Write what `export_evidence` returns to a file; the same log gives the same bytes.

    Raises:
        NothingToExport: no checkpoint covers a record of it yet, or there is none.
        ValueError: more than one of case, decision and customer was named, or a period with the
            first two.
    """
    named = {"case": case_id, "decision": decision_id, "customer": customer}
    given = [kind for kind, wanted in named.items() if wanted is not None]
    is_period = since is not None or until is not None
    if len(given) > 1 or (is_period and given and given != ["customer"]):
        raise ValueError("name a case, a decision, or a customer with or without a period")
    kind = given[0] if given else "period" if is_period else "log"
    scope = _Scope(kind, named.get(kind), since, until)
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            # Leaves and checkpoints must be of one moment, or a growing log looks altered.
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _write(target, scope, is_disclosed=is_disclosed)


def _write(target: IO[bytes], scope: _Scope, *, is_disclosed: bool) -> Evidence:
    latest = latest_checkpoint()
    if latest is None or not _is_sealed(scope):
        raise NothingToExport(scope.words)
    with zipfile.ZipFile(target, "w") as archive:
        records = _add(archive, "entries.txt", _entries(scope))
        _add(archive, "leaves.txt", _leaves())
        _add(archive, "checkpoints.jsonl", _checkpoints())
        for digest, content in _rows(_POLICIES, {}):
            _add(archive, f"policies/{digest}", [content.encode()])
        if is_disclosed:
            opened = disclosures(condition=_decisions(scope), parameters=scope.parameters)
            _add(archive, "inputs.jsonl", opened)
        evidence = Evidence(
            origin=origin_of(current_entity()),
            scope=scope.words,
            size=latest.size,
            records=records,
            short_checkpoint=latest.short,
        )
        _add(archive, "manifest.json", [_manifest(scope, evidence)])
        _add(archive, "README.txt", [_README.encode()])
    return evidence


def _is_sealed(scope: _Scope) -> bool:
    """Return whether the log holds a record of what was asked for."""
    if scope.kind == "log":
        return True
    with connection.cursor() as cursor:
        cursor.execute(_SEALED.format(records=_records(scope)), scope.parameters)
        (is_sealed,) = cursor.fetchone()
    return bool(is_sealed)


def _add(archive: zipfile.ZipFile, name: str, lines: Iterable[bytes]) -> int:
    """Write one file of the archive without a time of its own; return the number of lines."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    count = 0
    with archive.open(entry, "w", force_zip64=True) as file:
        for line in lines:
            file.write(line)
            count += 1
    return count


def _manifest(scope: _Scope, evidence: Evidence) -> bytes:
    manifest = {
        "format": FORMAT,
        "origin": evidence.origin,
        "scope": {
            "kind": scope.kind,
            "id": None if scope.id is None else str(scope.id),
            "from": scope.since.isoformat() if scope.since else None,
            "until": scope.until.isoformat() if scope.until else None,
        },
        "size": evidence.size,
        "records": evidence.records,
        "short_checkpoint": evidence.short_checkpoint,
    }
    return json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"


def _leaves() -> Iterator[bytes]:
    for index, leaf, record_id in _rows(_LEAVES, {}):
        yield f"{index} {bytes(leaf).hex()} {record_id}\n".encode()


def _entries(scope: _Scope) -> Iterator[bytes]:
    erased = _ERASED.format(decisions=_decisions(scope))
    asked = _records(scope)
    beside = f"{_ALWAYS} OR {erased} OR {_PASSKEYS.format(records=asked)}"
    which = f"l.idx IS NOT NULL AND ({beside} OR ({asked}))"
    if scope.kind == "log":
        which = _WHOLE_LOG
    sql = f"{_ENTRY} WHERE {which} ORDER BY l.idx NULLS LAST, r.id"
    for index, microseconds, body in _rows(sql, scope.parameters):
        number = "-" if index is None else index
        yield f"{number} {microseconds} ".encode() + _one_line(bytes(body)) + b"\n"


def _records(scope: _Scope) -> str:
    """Return the constant condition on records of what was asked for."""
    return _RECORDS.get(scope.kind, "true").format(time=_IN_TIME.format(at="r.recorded_at"))


def _decisions(scope: _Scope) -> str:
    """Return the constant condition on decisions of what was asked for."""
    return _DECISIONS[scope.kind].format(time=_IN_TIME.format(at="d.decided_at"))


def _one_line(body: bytes) -> bytes:
    """Return the body as it is, or in base64 if somebody altered it into several lines."""
    if body.startswith(b"{") and b"\n" not in body and b"\r" not in body:
        return body
    return b"base64:" + base64.b64encode(body)


def _checkpoints() -> Iterator[bytes]:
    keys = key_ring()
    for size, frontier, note, lines in _rows(_CHECKPOINTS, {}):
        stored = {
            "size": size,
            "frontier": " ".join(bytes(h).hex() for h in frontier),
            "note": note + "".join(cosigning(lines, note, keys)),
        }
        yield json.dumps(stored).encode() + b"\n"


def _rows(sql: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Read rows a few thousand at a time; a log may be larger than memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows
