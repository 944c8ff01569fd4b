"""Evidence export: one file with which anybody can check a case, a decision or the whole log.

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
from typing import IO, Any
from uuid import UUID

from django.db import connection, transaction

from sentinel.entities import current_entity
from sentinel.log.note import origin_of
from sentinel.log.proofs import latest_checkpoint

FORMAT = "frontline-evidence/v1"
CHUNK = 2000
_LEAVES = "SELECT idx, leaf, record_id FROM sentinel_leaf ORDER BY idx"
_ENTRY = """
SELECT l.idx, (extract(epoch FROM r.recorded_at) * 1000000)::bigint, r.body
FROM sentinel_record r LEFT JOIN sentinel_leaf l ON l.record_id = r.id
"""
_POLICIES = "SELECT digest, content FROM sentinel_bundle ORDER BY digest"
# Keys, the beginning and the rules published belong to every export, whatever was asked for.
_CONDITIONS = {
    "log": "l.idx IS NOT NULL OR r.id NOT IN (SELECT record_id FROM sentinel_pending)",
    "case": "l.idx IS NOT NULL AND (r.kind IN ('key', 'genesis', 'publication')"
    " OR r.case_id = %(id)s OR r.decision_id IN"
    " (SELECT d.decision_id FROM sentinel_record d WHERE d.case_id = %(id)s))",
    "decision": "l.idx IS NOT NULL AND (r.kind IN ('key', 'genesis', 'publication')"
    " OR r.decision_id = %(id)s)",
}
_SEALED = {
    "log": "SELECT true",
    "case": "SELECT EXISTS (SELECT FROM sentinel_record r"
    " JOIN sentinel_leaf l ON l.record_id = r.id WHERE r.case_id = %(id)s)",
    "decision": "SELECT EXISTS (SELECT FROM sentinel_record r"
    " JOIN sentinel_leaf l ON l.record_id = r.id WHERE r.decision_id = %(id)s)",
}
_CHECKPOINTS = """
SELECT c.size, c.frontier, c.note || coalesce(string_agg(s.line, '' ORDER BY s.witness), '')
FROM sentinel_checkpoint c
LEFT JOIN sentinel_cosignature s ON s.entity = c.entity AND s.size = c.size
GROUP BY c.entity, c.size ORDER BY c.size
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

What it cannot show: anything after the checkpoint you hold, and anything never recorded. An
export of one case or decision cannot show that it has all of that case; the whole log can.
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
    id: UUID | None

    @property
    def words(self) -> str:
        return self.kind if self.id is None else f"{self.kind} {self.id}"


def export_evidence(*, case_id: UUID | None = None, decision_id: UUID | None = None) -> bytes:
    """Return the evidence of a case, of a decision, or of the whole log as one zip file.

    Raises:
        NothingToExport: no checkpoint covers a record of it yet, or there is none.
        ValueError: both a case and a decision were named.
    """
    target = io.BytesIO()
    write_evidence(target=target, case_id=case_id, decision_id=decision_id)
    return target.getvalue()


def write_evidence(
    *, target: IO[bytes], case_id: UUID | None = None, decision_id: UUID | None = None
) -> Evidence:
    """Write what `export_evidence` returns to a file; the same log gives the same bytes.

    Raises:
        NothingToExport: no checkpoint covers a record of it yet, or there is none.
        ValueError: both a case and a decision were named.
    """
    if case_id is not None and decision_id is not None:
        raise ValueError("name a case or a decision, not both")
    kind = "case" if case_id else "decision" if decision_id else "log"
    scope = _Scope(kind, case_id or decision_id)
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            # Leaves and checkpoints must be of one moment, or a growing log looks altered.
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _write(target, scope)


def _write(target: IO[bytes], scope: _Scope) -> Evidence:
    latest = latest_checkpoint()
    if latest is None or not _is_sealed(scope):
        raise NothingToExport(scope.words)
    with zipfile.ZipFile(target, "w") as archive:
        records = _add(archive, "entries.txt", _entries(scope))
        _add(archive, "leaves.txt", _leaves())
        _add(archive, "checkpoints.jsonl", _checkpoints())
        for digest, content in _rows(_POLICIES, {}):
            _add(archive, f"policies/{digest}", [content.encode()])
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
    with connection.cursor() as cursor:
        cursor.execute(_SEALED[scope.kind], {"id": scope.id})
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
        "scope": {"kind": scope.kind, "id": None if scope.id is None else str(scope.id)},
        "size": evidence.size,
        "records": evidence.records,
        "short_checkpoint": evidence.short_checkpoint,
    }
    return json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"


def _leaves() -> Iterator[bytes]:
    for index, leaf, record_id in _rows(_LEAVES, {}):
        yield f"{index} {bytes(leaf).hex()} {record_id}\n".encode()


def _entries(scope: _Scope) -> Iterator[bytes]:
    sql = f"{_ENTRY} WHERE {_CONDITIONS[scope.kind]} ORDER BY l.idx NULLS LAST, r.id"
    for index, microseconds, body in _rows(sql, {"id": scope.id}):
        number = "-" if index is None else index
        yield f"{number} {microseconds} ".encode() + _one_line(bytes(body)) + b"\n"


def _one_line(body: bytes) -> bytes:
    """Return the body as it is, or in base64 if somebody altered it into several lines."""
    if body.startswith(b"{") and b"\n" not in body and b"\r" not in body:
        return body
    return b"base64:" + base64.b64encode(body)


def _checkpoints() -> Iterator[bytes]:
    for size, frontier, note in _rows(_CHECKPOINTS, {}):
        stored = {
            "size": size,
            "frontier": " ".join(bytes(h).hex() for h in frontier),
            "note": note,
        }
        yield json.dumps(stored).encode() + b"\n"


def _rows(sql: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Read rows a few thousand at a time; a log may be larger than memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows
