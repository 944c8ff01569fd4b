"""Which port the bank answers on."""

import socket

PORT = 8000
_TRIES = 50


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


def chosen_port(asked: int | None, host: str) -> int:
    """Return the port asked for, or without one the first free port from 8000 up.

    Raises:
        PortTaken: the port asked for, or every port tried, is in use.
    """
    if asked is not None:
        if not _is_free(asked, host):
            raise PortTaken(asked)
        return asked
    for port in range(PORT, PORT + _TRIES):
        if _is_free(port, host):
            return port
    raise PortTaken(PORT)


def _is_free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
