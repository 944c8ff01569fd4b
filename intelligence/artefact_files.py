"""Read and write model artefacts: a JSON card and plain npz arrays, never code."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SHIPPED: Final = Path(__file__).with_name("artefacts")
BYTES_MAX: Final = 8 * 1024 * 1024
ARRAY_KINDS: Final = frozenset("iuf")

Arrays = dict[str, NDArray[Any]]


class ArtefactRefused(Exception):
    """The artefact is not what was approved, or not of a format that is safe to load."""

    code = "artefact_refused"
    is_retryable = False

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model's card and arrays, with the digest that stands for both."""

    name: str
    digest: str
    card: Mapping[str, object]
    arrays: Arrays
    size_bytes: int


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise ArtefactRefused(path.name, "missing")
    if path.stat().st_size > BYTES_MAX:
        raise ArtefactRefused(path.name, "too_large")
    return path.read_bytes()


def _parse_card(name: str, content: bytes) -> dict[str, object]:
    try:
        card = json.loads(content)
    except ValueError as error:
        raise ArtefactRefused(name, "not_json") from error
    if not isinstance(card, dict):
        raise ArtefactRefused(name, "not_a_card")
    return card


def _parse_arrays(name: str, content: bytes) -> Arrays:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays: Arrays = {key: stored[key] for key in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise ArtefactRefused(name, "unsafe_or_broken_arrays") from error
    if any(array.dtype.kind not in ARRAY_KINDS for array in arrays.values()):
        raise ArtefactRefused(name, "not_numbers")
    return arrays


def load(*, name: str, digest: str, folder: Path = SHIPPED) -> Artefact:
    """Return the artefact of a name if it has the approved digest.

    Raises:
        ArtefactRefused: it is missing, altered, too large, or not JSON with plain numeric arrays.
    """
    content = _read_bytes(folder / f"{name}.json")
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ArtefactRefused(name, "digest_differs")
    card = _parse_card(name, content)
    arrays: Arrays = {}
    size = len(content)
    if card.get("arrays_sha256") is not None:
        packed = _read_bytes(folder / f"{name}.npz")
        if hashlib.sha256(packed).hexdigest() != card["arrays_sha256"]:
            raise ArtefactRefused(name, "arrays_differ")
        arrays, size = _parse_arrays(name, packed), size + len(packed)
    return Artefact(name, found, card, arrays, size)


def save(*, name: str, card: Mapping[str, object], arrays: Arrays, folder: Path) -> str:
    """Write an artefact and return its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    complete = dict(card)
    if arrays:
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **arrays)
        (folder / f"{name}.npz").write_bytes(packed.getvalue())
        complete["arrays_sha256"] = hashlib.sha256(packed.getvalue()).hexdigest()
    text = json.dumps(complete, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    content = text.encode() + b"\n"
    (folder / f"{name}.json").write_bytes(content)
    return hashlib.sha256(content).hexdigest()
