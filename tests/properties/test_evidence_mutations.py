"""No change to the evidence, wherever it strikes, is verified or makes the verifier stumble."""

import io
import json
import zipfile
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.log.merkle import EMPTY, extend, leaf_hash
from sentinel.log.note import ED25519, Checkpoint, VerificationKey, origin_of, signed_note
from sentinel.signing.canonical import canonical_json, domain_prefix
from sentinel.signing.keys import FileSigner
from sentinel.verify import frontline_verify

ENTITY = "meridian-nl"
ORIGIN = origin_of(ENTITY)
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SIZES = (3, 8, 13)
STARTED = 1_800_000_000_000_000


def body_of(number: int) -> bytes:
    """The key comes first; then each decision is issued and executed."""
    kind, content = ("executed", "issued")[number % 2], {"amount": f"{number}.00"}
    if number == 0:
        key = VerificationKey(ORIGIN, ED25519, SIGNER.public_bytes)
        kind, content = "key", {"purpose": "log", "vkey": key.encoded()}
    envelope = {
        "case_id": None,
        "content": content,
        "decision_id": str(UUID(int=(number + 1) // 2)) if number else None,
        "entity": ENTITY,
        "id": str(UUID(int=1000 + number)),
        "kind": kind,
        "v": 1,
    }
    return canonical_json(envelope)


def sound_files() -> dict[str, bytes]:
    entries, leaves, checkpoints, hashes = [], [], [], []
    for number in range(SIZES[-1]):
        time, body = STARTED + number, body_of(number)
        hashes.append(leaf_hash(domain_prefix("record") + time.to_bytes(8, "big") + body))
        entries.append(f"{number} {time} ".encode() + body + b"\n")
        leaves.append(f"{number} {hashes[-1].hex()} {UUID(int=1000 + number)}\n".encode())
    for size in SIZES:
        frontier, _ = extend(EMPTY, hashes[:size])
        note = signed_note(Checkpoint(ORIGIN, size, frontier.root()), SIGNER)
        subtrees = " ".join(item.hex() for item in frontier.hashes)
        stored = {"size": size, "frontier": subtrees, "note": note}
        checkpoints.append(json.dumps(stored).encode() + b"\n")
    manifest = {"format": frontline_verify.FORMAT, "origin": ORIGIN, "scope": {"kind": "log"}}
    return {
        "manifest.json": json.dumps(manifest).encode(),
        "entries.txt": b"".join(entries),
        "leaves.txt": b"".join(leaves),
        "checkpoints.jsonl": b"".join(checkpoints),
    }


SOUND = sound_files()
ROOT = extend(
    EMPTY, [bytes.fromhex(x.split()[1].decode()) for x in SOUND["leaves.txt"].splitlines()]
)
HELD = Checkpoint(ORIGIN, SIZES[-1], ROOT[0].root()).short()


def packed(contents: dict[str, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return file


def status_of(contents: dict[str, bytes]) -> int:
    try:
        return frontline_verify.verify(packed(contents), HELD).status()
    except frontline_verify.Unreadable:
        return frontline_verify.UNREADABLE


def test_sound_evidence_is_verified():
    assert status_of(SOUND) == frontline_verify.VERIFIED


@settings(max_examples=500)
@given(st.sampled_from(["entries.txt", "leaves.txt", "checkpoints.jsonl"]), st.data())
def test_no_changed_byte_is_verified(name, data):
    text = bytearray(SOUND[name])
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))

    status = status_of({**SOUND, name: bytes(text)})

    if status == frontline_verify.VERIFIED:
        # Another spelling of the same evidence, such as a capital in a hexadecimal number.
        assert meaning({**SOUND, name: bytes(text)}) == meaning(SOUND)


@given(st.sampled_from(["entries.txt", "leaves.txt"]), st.data())
def test_no_line_removed_doubled_or_moved_is_verified(name, data):
    lines = SOUND[name].splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    change = data.draw(st.sampled_from(["removed", "doubled", "renumbered"]))
    number, _, rest = lines[place].partition(b" ")
    other = data.draw(st.integers(0, 20).filter(lambda index: index != int(number)))
    changed = {
        "removed": [],
        "doubled": [lines[place], lines[place]],
        "renumbered": [b"%d " % other + rest],
    }[change]

    status = status_of({**SOUND, name: b"".join(lines[:place] + changed + lines[place + 1 :])})

    assert status == (
        frontline_verify.VERIFIED
        if (name, change) == ("leaves.txt", "doubled")
        else frontline_verify.TAMPERED
    )


@pytest.mark.parametrize("name", list(SOUND))
def test_no_file_may_be_missing(name):
    assert status_of({other: SOUND[other] for other in SOUND if other != name}) == 2


def meaning(contents: dict[str, bytes]) -> tuple[object, ...]:
    bundle = frontline_verify.load(packed(contents))
    keep = {"size", "note"}
    notes = [{n: v for n, v in item.items() if n in keep} for item in bundle.checkpoints]
    notes = [{**item, "note": str(item["note"]).rsplit(" ", 1)[0]} for item in notes]
    return bundle.leaves, bundle.ids, bundle.entries, notes
