"""Serves pages on a socket the supervisor holds: `python -m deploy.serving DESCRIPTOR`.

The port stays ours while this process is restarted, and who calls meanwhile waits a moment
instead of being refused.
"""

import socket
import sys

import uvicorn

from deploy.programs import WEB_OPTIONS


def main(descriptor: int) -> None:
    """Serve until told to stop."""
    # Made from the number alone, so that it keeps its family and answers without delay.
    listener = socket.socket(fileno=descriptor)
    uvicorn.Server(uvicorn.Config("deploy.asgi:application", **WEB_OPTIONS)).run([listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
