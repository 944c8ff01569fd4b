"""Keys made on first run, readable by their owner only."""

import os
import secrets
import tempfile
from pathlib import Path

KEY_BYTES = 32


def key_in(folder: Path, name: str) -> str:
    """Return the key of this name in hexadecimal, and make it first if there is none.

    Two processes that ask at once get the same key: the file is linked into place whole,
    and the second link fails.
    """
    path = folder / name
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.unlink(draft)
