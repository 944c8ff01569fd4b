"""Check exported evidence without the bank: no database, no network, no other file of Frontline.

    python frontline_verify.py BUNDLE.zip --checkpoint "1042-K7QX2-..."
    python frontline_verify.py RECEIPT.tlog-proof --key "frontline.example/log/...+...+..."

BUNDLE is what `manage.py export_evidence` wrote, RECEIPT what a customer or a connector was given.
The checkpoint is one copied earlier and kept outside: its short form, or a file with the whole
signed note. The keys are those of the log and of its witnesses. Exit status: 0 verified; 1
tampered with; 2 not readable or wrong usage; 3 consistent, but with nothing from outside to hold it
against, so that whoever holds the log's key could have rewritten it. Needs Python and
`cryptography`; shares no code with the log it checks. Hashing is RFC 6962, notes and receipts are
C2SP's. With `cedarpy`, decisions whose values are in the bundle are asked again of their rules.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

FORMAT = "frontline-evidence/v1"
VERIFIED, TAMPERED, UNREADABLE, UNANCHORED = 0, 1, 2, 3
PREFIX, POLICY = b"\0frontline/record/v1\0", b"frontline/policy-bundle/v1\0"
VALUES = b"frontline/decision-values/v2\0"
PASSKEY, USER_VERIFIED = b"frontline/passkey-approval/v1\0", 0b101
RECEIPT = "c2sp.org/tlog-proof@v1\n"
PRINCIPALS = {"customer": "Customer", "employee": "Employee", "agent": "Agent", "system": "System"}
AGREE, DIFFER, NOT_POSSIBLE = "agree", "differ", "not possible"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BYTES_MAX = 8 * 1024**3
BYTES_READ_MAX = 4 * 1024**2
NAMED_MAX = 20
GAPS_MAX = 100_000  # So many missing numbers are followed up; beyond that it only says so.
ENVELOPE = re.compile(
    rb',"decision_id":(?:null|"([0-9a-f-]{36})"),"entity":"[a-z0-9-]+",'
    rb'"id":"([0-9a-f-]{36})","kind":"([a-z_]+)","v":1\}$'
)
NUMBER = re.compile(rb"0|[1-9]\d{0,14}")
SHORT = re.compile(r"\s*(\d{1,15})-([0-9A-Za-z -]{21,40})\s*")
Key = tuple[str, bytes, int, Ed25519PublicKey]
# What reading a record raises that is not written as it should be.
UNFIT = (AttributeError, LookupError, TypeError, ValueError, RecursionError)


class Unreadable(Exception):
    """The bundle or the checkpoint cannot be read; nothing is said about the log."""

    code, is_retryable = "evidence_unreadable", False


@dataclass(frozen=True, slots=True)
class Record:
    """How a record is named to people."""

    index: int | None
    id: str
    kind: str


class Anchor(NamedTuple):
    """A stored checkpoint whose signature holds, with the subtrees its root is made of."""

    size: int
    root: bytes
    frontier: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words, and the records it concerns."""

    code: str
    words: str
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Reevaluation:
    """What came of asking the rules again about one decision: agree, differ or not possible."""

    decision: str
    result: str
    words: str


@dataclass(slots=True)
class Report:
    """Everything that was found out."""

    origin: str
    leaves: int = 0
    records: int = 0
    checkpoints: int = 0
    receipt_of: Record | None = None
    given_size: int | None = None
    witnessed_size: int | None = None
    signatures: int = 0
    unchecked: int = 0
    open_decisions: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    reevaluations: list[Reevaluation] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: str, words: str, records: tuple[Record, ...] = ()) -> None:
        """Note one thing that is wrong."""
        self.findings.append(Finding(code, words, records))

    def status(self) -> int:
        """Return the exit status."""
        if self.findings:
            return TAMPERED
        return UNANCHORED if self.given_size is None else VERIFIED


@dataclass(slots=True)
class Bundle:
    """The files of an evidence bundle, read but not judged."""

    origin: str
    is_whole_log: bool
    leaves: dict[int, bytes]
    ids: dict[int, str]
    entries: list[tuple[int | None, bytes, bytes]]
    checkpoints: list[dict[str, object]]
    policies: dict[str, bytes]
    inputs: list[dict[str, Any]]
    decided: dict[str, bytes] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)
    key_bodies: list[bytes] = field(default_factory=list)
    approvals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    # Of each credential: at which record, whose, and by which key; removed with none.
    passkeys: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)

    def named(self, indexes: Iterable[int]) -> tuple[Record, ...]:
        """Return the records at some indexes as people name them."""
        return tuple(Record(n, self.ids.get(n, "?"), self.kinds.get(n, "?")) for n in indexes)


def load(path: Path) -> Bundle:
    """Read a bundle, refusing what is not one."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > BYTES_MAX:
                raise Unreadable("the bundle is too large")
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files["manifest.json"])
        if manifest["format"] != FORMAT:
            raise Unreadable(f"the format is not {FORMAT}")
        leaves = [line.split(b" ") for line in files["leaves.txt"].splitlines()]
        return Bundle(
            origin=str(manifest["origin"]),
            is_whole_log=manifest["scope"]["kind"] == "log",
            leaves={_number(index): bytes.fromhex(leaf.decode()) for index, leaf, _ in leaves},
            ids={_number(index): record_id.decode() for index, _, record_id in leaves},
            entries=[_entry(line) for line in files["entries.txt"].split(b"\n")[:-1]],
            checkpoints=[dict(json.loads(it)) for it in files["checkpoints.jsonl"].splitlines()],
            policies={n[9:]: text for n, text in files.items() if n.startswith("policies/")},
            inputs=[dict(json.loads(x)) for x in files.get("inputs.jsonl", b"").splitlines()],
        )
    except (OSError, LookupError, TypeError, ValueError, OverflowError, zipfile.BadZipFile) as e:
        raise Unreadable(f"the bundle cannot be read: {e!r}") from e


def _entry(line: bytes) -> tuple[int | None, bytes, bytes]:
    index, microseconds, body = line.split(b" ", 2)
    if body.startswith(b"base64:"):  # a body that is not one line of text, so somebody altered it
        body = base64.b64decode(body[7:])
    time = int(microseconds).to_bytes(8, "big", signed=True)
    return None if index == b"-" else _number(index), time, body


def _number(text: bytes) -> int:
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def check_entries(bundle: Bundle, report: Report) -> None:
    """Hash every record again and compare it with the leaf that was sealed."""
    wrong, ends = dict[int, bytes](), dict[bytes, set[bytes]]()
    for index, time, body in bundle.entries:
        envelope = ENVELOPE.search(body, max(0, len(body) - 300))
        decision, record_id, kind = envelope.groups() if envelope else (None, b"?", b"?")
        if index is None:
            name = Record(None, record_id.decode(), kind.decode())
            report.add("outside", "stands among the records and was never sealed", (name,))
            continue
        computed = hashlib.sha256(PREFIX + time + body).digest()
        sealed = (bundle.leaves.get(index), bundle.ids.get(index))
        is_double, bundle.kinds[index] = index in bundle.kinds, kind.decode()
        if is_double or (computed, record_id.decode()) != sealed:
            wrong[index] = computed
        else:
            with _reading(bundle, report, index):
                _note(bundle, index, kind, decision, body)
        if decision:
            ends.setdefault(decision, set()).add(kind)
    report.records = len(bundle.kinds)
    _describe(bundle, report, wrong)
    _reconcile(report, ends)


def _note(bundle: Bundle, index: int, kind: bytes, decision: bytes | None, body: bytes) -> None:
    """Keep what is looked at again later."""
    if kind == b"key":
        bundle.key_bodies.append(body)
    elif kind in (b"issued", b"refused") and decision:
        bundle.decided[decision.decode()] = body
    elif kind in (b"approval", b"factor", b"erasure"):
        said = json.loads(body)["content"]
        if kind == b"approval":
            bundle.approvals.append((index, said))
        elif kind == b"erasure":
            bundle.forgotten.add(str(said["subject"]))
        elif said["method"] == "passkey":
            key = str(said["public_key"]) if said["result"] == "enrolled" else ""
            known = bundle.passkeys.setdefault(said["credential"], [])
            known.append((index, str(said["principal"]), key))


@contextlib.contextmanager
def _reading(bundle: Bundle, report: Report, index: int) -> Iterator[None]:
    """Name a record that does not say what its kind should, and go on with the others."""
    try:
        yield
    except UNFIT:
        report.add("record_unreadable", "does not say what its kind says", bundle.named([index]))


def _describe(bundle: Bundle, report: Report, wrong: dict[int, bytes]) -> None:
    """Say of each altered record what differs, and which records and leaves are gone."""
    home = {leaf: index for index, leaf in bundle.leaves.items()} if wrong else {}
    for index, computed in sorted(wrong.items()):
        where = home.get(computed, index)
        was = "under its number" if where == index else f"there, but record {where}"
        report.add("record_altered", f"does not say what was sealed {was}", bundle.named([index]))
    if bundle.is_whole_log and (gone := sorted(bundle.leaves.keys() - bundle.kinds.keys())):
        report.add("record_missing", "was sealed, and the record is gone", bundle.named(gone))
    if far := sorted(n for n in bundle.leaves if n >= len(bundle.leaves) + GAPS_MAX):
        report.add("leaf_far_off", "has a number far beyond all others", bundle.named(far))
        bundle.leaves = {n: leaf for n, leaf in bundle.leaves.items() if n < far[0]}
    report.leaves = max(bundle.leaves, default=-1) + 1
    numbers = pairwise([-1, *sorted(bundle.leaves)])
    gaps = [range(last + 1, index) for last, index in numbers if index - last > 1]
    if sum(map(len, gaps)) > NAMED_MAX:
        shown = ", ".join(f"{gap[0]} to {gap[-1]}" for gap in gaps[:NAMED_MAX])
        report.add("leaf_missing", f"{sum(map(len, gaps))} numbers were removed: {shown}")
    elif gaps:
        report.add("leaf_missing", "has no leaf: it was removed", bundle.named(chain(*gaps)))


def _reconcile(report: Report, ends: dict[bytes, set[bytes]]) -> None:
    """Match every effect with the decision that allowed it, and the other way round."""
    for decision, kinds in sorted(ends.items()):
        if b"executed" in kinds and b"issued" not in kinds:
            words = f"decision {decision.decode()} was executed, and never allowed"
            report.add("effect_without_decision", words)
        if b"issued" in kinds and not kinds & {b"executed", b"outcome"}:
            report.open_decisions.append(decision.decode())


def check_notes(bundle: Bundle, report: Report) -> list[Anchor]:
    """Return the stored checkpoints that the log's key signed, smallest first."""
    anchors, keys = list[Anchor](), list[Key]()
    for body in bundle.key_bodies:
        with contextlib.suppress(*UNFIT):
            keys.append(_key(str(json.loads(body)["content"]["vkey"])))
    for stored in bundle.checkpoints:
        try:
            size, root, signers = _open_note(str(stored["note"]), bundle.origin, keys)
            frontier = tuple(bytes.fromhex(item) for item in str(stored["frontier"]).split())
            is_far_off = size > report.leaves + GAPS_MAX
            if bundle.origin not in signers or size != stored["size"] or is_far_off:
                raise ValueError(size)
        except (InvalidSignature, *UNFIT):
            words = f"the checkpoint of {stored.get('size')} records is not signed by the log's key"
            report.add("checkpoint_altered", f"{words}, or of far more records than these")
            continue
        if len(frontier) != size.bit_count() or _fold(frontier) != root:
            report.add("frontier_altered", f"the tree stored for {size} records does not fit")
            frontier = ()
        anchors.append(Anchor(size, root, frontier))
        if len(signers) > 1:
            report.witnessed_size = max(size, report.witnessed_size or 0)
    report.checkpoints = len(anchors)
    return sorted(anchors)


def _key(vkey: str) -> Key:
    name, _, encoded = vkey.split("+", 2)
    raw = base64.b64decode(encoded)
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    return name, key_id, raw[0], Ed25519PublicKey.from_public_bytes(raw[1:])


def _open_note(note: str, origin: str, keys: list[Key]) -> tuple[int, bytes, set[str]]:
    """Return size, root and the names that signed a note; a wrong known signature spoils it."""
    text, _, lines = note.partition("\n\n")
    name, size, root = text.split("\n")
    if name != origin or not all(line.startswith("\u2014 ") for line in lines.splitlines()):
        raise ValueError(name)
    body, signers = f"{text}\n".encode(), set[str]()
    for line in lines.splitlines():
        _, signer, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        for known, key_id, algorithm, key in keys:
            if (known, key_id) == (signer, raw[:4]):
                signed, signature = body, raw[4:]
                if algorithm == 4:  # a witness also signs the second at which it looked
                    seconds, signature = int.from_bytes(raw[4:12], "big"), raw[12:]
                    signed = f"cosignature/v1\ntime {seconds}\n".encode() + body
                key.verify(signature, signed)
                signers.add(signer)
    return _number(size.encode()), _hash(root), signers


def check_tree(bundle: Bundle, report: Report, anchors: list[Anchor]) -> bytes | None:
    """Grow the tree, compare it at each checkpoint, and return the root at the size given."""
    stack, start, held, stop = list[bytes](), 0, None, report.given_size
    for anchor in [*anchors, Anchor(report.leaves, b"", ())]:
        for index in range(start, anchor.size):
            _push(stack, index, bundle.leaves.get(index, bytes(32)))
            held = _fold(stack) if index + 1 == stop else held
        if not anchor.root and anchor.size > start:
            tail = bundle.named(range(start, anchor.size))
            report.add("unsigned_tail", "is covered by no signed checkpoint", tail)
        elif anchor.root and _fold(stack) != anchor.root:
            suspects = bundle.named(_suspects(stack, anchor, start))
            words = f"is one of {len(suspects)} of which one or more were replaced, leaf and all"
            report.add("range_altered", words, suspects)
            # Going on from the signed subtrees finds every damaged range on its own.
            stack = list(anchor.frontier) or stack
            held = anchor.root if anchor.size == stop else held
        start = anchor.size
    return held


def _push(stack: list[bytes], size: int, leaf: bytes) -> None:
    while size & 1:
        leaf = hashlib.sha256(b"\1" + stack.pop() + leaf).digest()
        size >>= 1
    stack.append(leaf)


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over adjacent complete subtrees, largest first."""
    root = hashes[-1] if hashes else hashlib.sha256(b"").digest()
    for left in reversed(hashes[:-1]):
        root = hashlib.sha256(b"\1" + left + root).digest()
    return root


def _suspects(stack: list[bytes], anchor: Anchor, start: int) -> list[int]:
    """Return the new indexes under those subtrees whose hash is not the signed one."""
    found, begin = list[int](), 0
    for computed, signed in zip(stack, anchor.frontier or [b""] * len(stack), strict=True):
        width = 1 << ((anchor.size - begin).bit_length() - 1)
        if computed != signed:
            found += range(max(begin, start), begin + width)
        begin += width
    return found


def short_digits(origin: str, size: int, root: bytes) -> str:
    """Return the twenty characters people copy: 100 bits of the hash of the checkpoint."""
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    number = int.from_bytes(hashlib.sha256(body).digest(), "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(251, 151, -5))


def read_given(text: str, origin: str) -> tuple[int, str]:
    """Return size and characters of the checkpoint the user holds, short or whole."""
    if found := SHORT.fullmatch(text):
        return _read_short(str(int(found[1])), found[2])
    try:
        note = Path(text).read_text(encoding="utf-8") if "\n" not in text else text
        name, size, root = note.partition("\n\n")[0].split("\n")
        if name != origin:
            raise Unreadable(_printable(f"the checkpoint is of another log, {name}"))
        number = _number(size.encode())
        return number, short_digits(origin, number, _hash(root))
    except (OSError, ValueError) as error:
        raise Unreadable("the checkpoint is neither a short one nor a signed note") from error


def _read_short(size: str, typed: str) -> tuple[int, str]:
    digits, state = typed.upper().translate(str.maketrans("ILO", "110", "- ")), 0
    if len(digits) != 21 or any(digit not in ALPHABET for digit in digits) or size == "0":
        raise Unreadable("the checkpoint has the wrong length or characters")
    for character in size + digits[:-1] + "0":
        state = state << 1 ^ (0x25 if state & 16 else 0) ^ ALPHABET.index(character)
    if ALPHABET[state] != digits[-1]:
        raise Unreadable("the checkpoint was copied with a slip: its last character does not fit")
    return int(size), digits[:-1]


def check_inputs(bundle: Bundle, report: Report) -> None:
    """Hold the clear values against the sealed records, and ask the rules again about them."""
    for given in bundle.inputs:
        decision, values = str(given.get("decision")), str(given.get("values"))
        record, opened = bundle.decided.get(decision), None
        if given.get("erased"):
            with contextlib.suppress(*UNFIT):
                if _subject(json.loads(record or b"")["content"]) in bundle.forgotten:
                    report.erased.append(decision)
                    continue
            words = f"the values of decision {decision} are said to be erased; no record says so"
            report.add("erased_without_record", words)
            continue
        with contextlib.suppress(*UNFIT):
            said, key = json.loads(record or b"{}"), bytes.fromhex(given["key"])
            committed = hmac.digest(key, VALUES + values.encode(), "sha256").hex()
            if committed == said["content"]["commitment"]:
                opened = said["content"] | {"entity": said["entity"]}, json.loads(values)
        if opened is None:
            words = f"the values given for decision {decision} are not those that were sealed"
            report.add("input_altered", words)
            continue
        again = Reevaluation(decision, *reevaluate(bundle.policies, *opened))
        report.reevaluations.append(again)
        if again.result == DIFFER:
            report.add("verdict_differs", f"decision {decision}: {again.words}")


def _subject(said: dict[str, Any]) -> str:
    """Return whose data a decision holds: the customer's in its chain, the party's, the maker's."""
    kind, _, key = str(said["resource"]).partition(":")
    found = [link["id"] for link in said["chain"] if link["kind"] == "customer"]
    found += [f"customer:{key}"] * (kind in {"party", "customer"})
    return str([*found, said["chain"][0]["id"]][0])


def check_signatures(bundle: Bundle, report: Report) -> None:
    """Check what people signed with passkeys (Web Authentication, 7.2) over what they approved.

    A passkey counts from its enrolment by the approver to its removal; what a part of a log cannot
    tell is counted apart.
    """
    for index, content in bundle.approvals:
        with _reading(bundle, report, index):
            approver, signature = content["approver"], content.get("signature")
            if signature is None:
                continue
            told = sorted(bundle.passkeys.get(signature["credential"], []))
            own = [key for at, whose, key in told if at < index and whose == approver]
            if not told and not bundle.is_whole_log:
                report.unchecked += 1
            elif own and _is_signed(content, signature, own[-1]):
                report.signatures += 1
            else:
                words = "is signed over something else, or by no passkey its approver had then"
                report.add("not_signed", words, bundle.named([index]))


def _is_signed(content: dict[str, Any], signature: dict[str, str], enrolled: str) -> bool:
    """Return whether a signature by this enrolled key is over exactly what was approved."""
    with contextlib.suppress(InvalidSignature, UnsupportedAlgorithm, *UNFIT):
        raw = {name: _base64url(text) for name, text in signature.items()}
        said, data = json.loads(raw["client_data"]), raw["authenticator_data"]
        asked = f"{content['request']}|approve|{content['params_hash']}".encode()
        found = (said["type"], content["verdict"], _base64url(said["challenge"]))
        if found != ("webauthn.get", "approve", hashlib.sha256(PASSKEY + asked).digest()):
            return False
        if data[32] & USER_VERIFIED != USER_VERIFIED or signature["public_key"] != enrolled:
            return False
        over = data + hashlib.sha256(raw["client_data"]).digest()
        key = load_der_public_key(raw["public_key"])
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(raw["signature"], over, ECDSA(SHA256()))
        elif isinstance(key, Ed25519PublicKey):
            key.verify(raw["signature"], over)
        return isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey)
    return False


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def reevaluate(
    policies: dict[str, bytes], said: dict[str, Any], values: dict[str, Any]
) -> tuple[str, str]:
    """Ask the rules a decision names again; one that no rule took, as a limit did, cannot be."""
    try:
        import cedarpy  # noqa: PLC0415 - everything else works without it
    except ImportError:
        return NOT_POSSIBLE, "cedarpy is not installed here"
    try:
        texts = [_rules(policies, name) for name in str(said["bundle"]).split()]
        if not values["context"] or not texts:
            return NOT_POSSIBLE, f"{said['policies'][0]} came before any rule was asked"
        parsed = [json.loads(cedarpy.policies_to_json_str(text["cedar"])) for text in texts]
        rules = {
            body["annotations"]["id"]: body
            for each in parsed
            for body in each["staticPolicies"].values()
        }
        answers = [_asked(cedarpy, rules, request, texts) for request in _requests(said, values)]
    except LookupError as error:
        return NOT_POSSIBLE, f"something it was taken by is not here: {error}"
    except UNFIT as error:
        return NOT_POSSIBLE, f"the rules could not be asked: {error}"
    return _compared(said, rules.keys(), answers)


def _rules(policies: dict[str, bytes], name: str) -> dict[str, Any]:
    """Return the bundle that a decision names by its area and the start of its digest."""
    start = name.partition("@")[2]
    (digest,) = [each for each in policies if len(start) >= 16 and each.startswith(start)]
    return dict(json.loads(policies[digest]))


def _requests(said: dict[str, Any], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the question about each link of a chain, with what a rule may look up about it."""
    for link, roles in zip(said["chain"], values["roles"], strict=True):
        person = {"type": PRINCIPALS[link["kind"]], "id": link["id"]}
        thing = {"type": "Resource", "id": said["resource"]}
        above = [{"type": "Role", "id": name} for name in {link["kind"], *roles}]
        if link["kind"] == "system":
            above.append({"type": "Mandate", "id": link["id"].removeprefix("system:")})
        own, kind = {"entity": said["entity"]}, said["resource"].partition(":")[0]
        action = {"type": "Action", "id": said["action"]}
        asked = {"principal": person, "action": action, "resource": thing}
        yield {
            "request": asked | {"context": values["context"]},
            "entities": [
                {"uid": person, "attrs": own, "parents": above},
                {"uid": thing, "attrs": own | {"kind": kind}, "parents": []},
            ],
        }


def _asked(
    cedarpy: ModuleType, rules: dict[str, Any], asked: dict[str, Any], texts: list[dict[str, Any]]
) -> tuple[bool, bool, set[str]]:
    """Return whether the rules permit it, whether they erred, and which of them decided."""
    kinds = (("Role", "roles"), ("Mandate", "mandates"))
    named = [(t, n) for text in texts for t, all_of in kinds for n in text["registry"][all_of]]
    ids = [{"type": t, "id": n} for t, n in dict.fromkeys(named)]
    known = [{"uid": each, "attrs": {}, "parents": []} for each in ids]
    kept = json.dumps({"staticPolicies": rules, "templates": {}, "templateLinks": []})
    answer = cedarpy.is_authorized(
        asked["request"],
        cedarpy.PolicySet.from_json_str(kept),
        cedarpy.Entities.from_json_str(json.dumps([*known, *asked["entities"]])),
    )
    told, is_permitted = answer.diagnostics, answer.decision is cedarpy.Decision.Allow
    return is_permitted, bool(told.errors), set(told.reasons)


def _compared(
    said: dict[str, Any], known: Iterable[str], answers: list[tuple[bool, bool, set[str]]]
) -> tuple[str, str]:
    """Compare what the rules say now with what was recorded."""
    recorded = set(said["policies"])
    is_permitted = all(each[0] and not each[1] for each in answers)
    words = ", ".join(sorted(recorded))
    if said["verdict"] != "permit" and not recorded <= {*known, "no_permit"}:
        return NOT_POSSIBLE, f"it was taken by {words}, which is no rule in the bundle"
    named = {name for each in answers if each[0] == is_permitted for name in each[2]}
    if is_permitted != (said["verdict"] == "permit"):
        now = "permit" if is_permitted else "refuse"
        return DIFFER, f"recorded as {said['verdict']}; its rules now {now} it"
    if not recorded - {"no_permit"} <= named:
        return DIFFER, f"its rules now name {', '.join(sorted(named)) or 'none of them'}"
    return AGREE, f"{said['verdict']} by {words}"


def read_receipt(path: Path) -> str | None:
    """Return the text of a receipt, or None if the file is something else."""
    try:
        with path.open("rb") as file:
            start = file.read(BYTES_READ_MAX)
        return start.decode() if start.startswith(RECEIPT.encode()) else None
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"the file cannot be read: {error}") from error


def verify_receipt(text: str, given: tuple[int, str] | None, vkeys: Sequence[str]) -> Report:
    """Return what is found in a receipt, or raise Unreadable (C2SP tlog-proof)."""
    try:
        head, _, note = text.removeprefix(RECEIPT).partition("\n\n")
        extra, index, *hashes = head.split("\n")
        entry = base64.b64decode(extra.removeprefix("extra "), validate=True)
        number, path = int(index.removeprefix("index ")), [_hash(each) for each in hashes]
        keys, origin = [_key(each) for each in vkeys], note.partition("\n")[0]
        said = ENVELOPE.search(entry, max(0, len(entry) - 300))
        if not entry.startswith(PREFIX[1:]) or said is None:
            raise ValueError("it holds no record")
    except (LookupError, ValueError) as error:
        raise Unreadable(f"the receipt cannot be read: {error}") from error
    report = Report(origin, records=1, checkpoints=1)
    record = Record(number, said[2].decode(), said[3].decode())
    try:
        size, root, signers = _open_note(note, origin, keys)
    except InvalidSignature:
        report.add("checkpoint_altered", "its checkpoint is not signed by the key given")
        return report
    except ValueError as error:
        raise Unreadable(f"the receipt's checkpoint cannot be read: {error}") from error
    report.leaves, report.receipt_of = size, record
    if _climbed(number, size, hashlib.sha256(b"\0" + entry).digest(), path) != root:
        report.add("not_included", "is not in the log of this checkpoint", (record,))
    is_told = given is not None and given[0] == size  # only one of the same size tells
    report.given_size = size if signers or is_told else None
    report.witnessed_size = size if signers - {origin} else None
    if given and is_told and short_digits(origin, size, root) != given[1]:
        words = f"its checkpoint of {size} records is not the one you copied"
        report.add("another_history", words)
    return report


def _climbed(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Return the root an inclusion proof leads to (RFC 9162, 2.1.3.2), or None."""
    if not 0 <= index < size:
        return None
    last, found = size - 1, leaf
    for each in path:
        if not last:
            return None
        if index & 1 or index == last:
            found = hashlib.sha256(b"\1" + each + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + each).digest()
        index, last = index >> 1, last >> 1
    return None if last else found


def _hash(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 32:
        raise ValueError("a hash is not 32 bytes long")
    return raw


def verify(path: Path, given_text: str | None) -> Report:
    """Return what is found in a bundle, or raise Unreadable."""
    bundle = load(path)
    report, given = Report(bundle.origin), None
    if given_text is not None:
        report.given_size, _ = given = read_given(given_text, bundle.origin)
    check_entries(bundle, report)
    held = check_tree(bundle, report, check_notes(bundle, report))
    check_inputs(bundle, report)
    check_signatures(bundle, report)
    for name, policy in sorted(bundle.policies.items()):
        if hashlib.sha256(POLICY + policy).hexdigest() != name:
            report.add("policy_altered", f"the policy text {name} is not the one it is named for")
    if given and given[0] > report.leaves:
        report.add("truncated", f"the log ends at {report.leaves}; your checkpoint says {given[0]}")
    elif given and short_digits(bundle.origin, given[0], held or b"") != given[1]:
        words = f"the first {given[0]} records are not those your checkpoint was copied from"
        report.add("another_history", words)
    return report


def in_words(report: Report) -> Iterator[str]:
    """Say for people what was found, and what it does not prove."""
    yield f"Log       {report.origin}, {report.leaves} records"
    yield f"Checked   {report.records} records, {report.checkpoints} signed checkpoints"
    for finding in report.findings:
        for record in finding.records[:NAMED_MAX]:
            yield f"WRONG     record {record.index}, {record.kind}, {record.id}: {finding.words}"
        rest = len(finding.records) - NAMED_MAX
        yield from [f"WRONG     {finding.words}"] * (not finding.records)
        yield from [f"          and {rest} more records like these"] * (rest > 0)
    yield from _asked_again(report)
    if report.erased:
        yield f"Erased    the values of {len(report.erased)} decisions: the person was forgotten;"
        yield "          payload shredded, commitment intact"
    if report.signatures:
        yield f"Signed    {report.signatures} approvals carry their approver's passkey's signature"
    if report.unchecked:
        yield f"Signed    {report.unchecked} not checkable: this part has no such passkey"
    if of := report.receipt_of:
        yield f"Receipt   record {of.index}, {of.kind}, {of.id}"
    if report.open_decisions:
        yield f"Open      {len(report.open_decisions)} decisions have no recorded outcome yet"
    yield {
        VERIFIED: "VERIFIED  the record is in the log that was signed by the key you hold"
        if report.receipt_of
        else "VERIFIED  every record is what it was when your checkpoint was copied",
        TAMPERED: "TAMPERED  this is not the log that was signed",
        UNANCHORED: "CONSISTENT, but weaker: give what is kept outside with --checkpoint or --key"
        if report.receipt_of
        else "CONSISTENT, but weaker: give a checkpoint kept outside with --checkpoint",
    }[report.status()]
    yield from limits(report)


def _asked_again(report: Report) -> Iterator[str]:
    """Say how many decisions still follow from their rules, and why some could not be asked."""
    if not report.reevaluations:
        return
    counted = [each.result for each in report.reevaluations]
    parts = ", ".join(f"{counted.count(each)} {each}" for each in (AGREE, DIFFER, NOT_POSSIBLE))
    yield f"Rules     asked again of {len(counted)} decisions: {parts}"
    for each in [item for item in report.reevaluations if item.result == NOT_POSSIBLE][:NAMED_MAX]:
        yield f"          not possible for {each.decision}: {each.words}"


def limits(report: Report) -> Iterator[str]:
    """Say what this check cannot prove."""
    if report.given_size is None:
        yield "Not proved: that the holder of the log's key has not rewritten everything"
    elif report.leaves > report.given_size:
        late = report.leaves - report.given_size
        yield f"Not proved: the last {late} records; your checkpoint is older than they are"
    if report.receipt_of:
        yield "Not proved: that what the record tells of is true; only that it was recorded"
        if report.witnessed_size is None:
            yield "Not proved: that others are shown the same log; no witness's key was given"
    if report.erased:
        yield "Not proved: that nobody kept a copy of what was erased"
    yield "Not proved: anything after the last record here, or never recorded"
    if not report.receipt_of and not report.reevaluations:
        yield "Not proved: that each verdict follows from its rules; their values are not here"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the bundle named on the command line and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="frontline-verify",
        description="Check evidence offline: a bundle, or a receipt.",
        epilog="Exit status: 0 verified; 1 tampered with; 2 not readable, or wrong usage;"
        " 3 consistent, but with nothing from outside to hold it against.",
    )
    parser.add_argument("bundle", type=Path, help="what export_evidence wrote, or a .tlog-proof")
    parser.add_argument("--checkpoint", help="kept outside: the short form, or a note's file")
    parser.add_argument(
        "--key", action="append", default=[], help="for a receipt: a key of the log or of a witness"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        text = read_receipt(options.bundle)
        if text is None:
            report = verify(options.bundle, options.checkpoint)
        else:
            origin = text.partition("\n\n")[2].partition("\n")[0]
            given = read_given(options.checkpoint, origin) if options.checkpoint else None
            report = verify_receipt(text, given, options.key)
        said = {"status": report.status(), **asdict(report), "limits": list(limits(report))}
        shown = json.dumps(said) if options.json else "\n".join(map(_printable, in_words(report)))
    except Unreadable as error:
        sys.stderr.write(f"frontline-verify: {error}\n")
        return UNREADABLE
    except Exception as error:  # noqa: BLE001 - that this program fails says nothing about a log
        sys.stderr.write(f"frontline-verify: the file cannot be read: {error!r}\n")
        return UNREADABLE
    sys.stdout.write(f"{shown}\n")
    return report.status()


def _printable(line: str) -> str:
    """Keep what a file says to its line, so that it cannot write a verdict of its own."""
    return "".join(each if each.isprintable() else "\ufffd" for each in line)


if __name__ == "__main__":
    sys.exit(main())
