"""Which port the bank answers on."""

import socket

PORT = 8000
_TRIES = 50
_BACKLOG = 2048


class PortTaken(Exception):
    """The port asked for is used by another program."""

    code = "port_taken"
    is_retryable = False

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port

    def __str__(self) -> str:
        return (
            f"Port {self.port} is taken by another program. Stop it, name another port with "
            f"--port, or leave --port out to take the next free one."
        )


def listener(asked: int | None, host: str) -> socket.socket:
    """Return a socket on the port asked for, or on the first free one from 8000 up.

    It is bound and listens, so that nobody else gets the port before the pages are served.

    Raises:
        PortTaken: the port asked for, or every port tried, is in use.
    """
    for port in (asked,) if asked is not None else range(PORT, PORT + _TRIES):
        bound = _bound(port, host)
        if bound is not None:
            return bound
    raise PortTaken(PORT if asked is None else asked)


def _bound(port: int, host: str) -> socket.socket | None:
    candidate = socket.socket()
    candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        candidate.bind((host, port))
        candidate.listen(_BACKLOG)
    except OSError:
        candidate.close()
        return None
    return candidate


def free_port(host: str) -> int:
    """Return a port nobody uses now, for a program that binds it itself."""
    with socket.socket() as candidate:
        candidate.bind((host, 0))
        return int(candidate.getsockname()[1])
