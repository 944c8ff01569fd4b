"""A small sealed log in memory, packed as evidence: of whatever records a test wants."""

import json
import zipfile
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sentinel.log.merkle import EMPTY, extend, leaf_hash
from sentinel.log.note import ED25519, Checkpoint, VerificationKey, origin_of, signed_note
from sentinel.signing.canonical import canonical_json, domain_prefix
from sentinel.signing.keys import FileSigner
from sentinel.verify import frontline_verify

ORIGIN = origin_of("meridian-nl")
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STARTED = 1_800_000_000_000_000


def files(records, *, scope="log"):
    """Return the files of a log of the key's own record and these (kind, content) pairs."""
    key = VerificationKey(ORIGIN, ED25519, SIGNER.public_bytes).encoded()
    entries, leaves, hashes = [], [], []
    for number, (kind, content) in enumerate([("key", {"purpose": "log", "vkey": key}), *records]):
        envelope = {
            "case_id": None,
            "content": content,
            "decision_id": None,
            "entity": "meridian-nl",
            "id": str(UUID(int=1000 + number)),
            "kind": kind,
            "v": 1,
        }
        time, body = STARTED + number, canonical_json(envelope)
        hashes.append(leaf_hash(domain_prefix("record") + time.to_bytes(8, "big") + body))
        entries.append(f"{number} {time} ".encode() + body + b"\n")
        leaves.append(f"{number} {hashes[-1].hex()} {UUID(int=1000 + number)}\n".encode())
    frontier, _ = extend(EMPTY, hashes)
    checkpoint = Checkpoint(ORIGIN, len(hashes), frontier.root())
    subtrees = " ".join(each.hex() for each in frontier.hashes)
    note = signed_note(checkpoint, SIGNER)
    stored = {"size": len(hashes), "frontier": subtrees, "note": note}
    manifest = {"format": frontline_verify.FORMAT, "origin": ORIGIN, "scope": {"kind": scope}}
    return {
        "manifest.json": json.dumps(manifest).encode(),
        "entries.txt": b"".join(entries),
        "leaves.txt": b"".join(leaves),
        "checkpoints.jsonl": json.dumps(stored).encode() + b"\n",
    }, checkpoint.short()


def checked(capsys, path, contents, short=None):
    """Run the verifier's command on these files; return its status, report and words."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    given = ["--checkpoint", short] if short else []
    status = frontline_verify.main([str(path), "--json", *given])
    printed = capsys.readouterr()
    frontline_verify.main([str(path), *given])
    words = capsys.readouterr()
    report = json.loads(printed.out) if printed.out else None
    return status, report, words.out + words.err
