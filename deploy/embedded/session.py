"""Lends the embedded PostgreSQL to one command: the running one, or one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.server import AlreadyRunning, EmbeddedPostgres, Say


@contextmanager
def borrowed(home: Path, say: Say) -> Iterator[None]:
    """Keep a PostgreSQL running for the time of the block; stop it if it was started here."""
    server = EmbeddedPostgres(home, say)
    try:
        server.start()
    except AlreadyRunning:
        yield
        return
    try:
        yield
    finally:
        server.stop()
