"""Where one installation keeps what it makes: data, keys, sockets."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent


def home() -> Path:
    """Return the folder of this installation: FRONTLINE_HOME, else `var` in the clone."""
    return Path(os.environ.get("FRONTLINE_HOME") or SOURCE / "var").resolve()


def keys() -> Path:
    """Return the folder of the keys made on first run."""
    return home() / "keys"


def socket_note() -> Path:
    """Return the file that says in which folder the embedded PostgreSQL has its socket."""
    return home() / "postgres.socket"
