"""Who may open a line: only the bank's own pages, on the same host and the same port."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier

_PORTS = {"http": 80, "https": 443}


class SameOriginLine:
    """Lets a line in where its page has the host and port the line itself was asked of.

    The host must also be one of the bank's: which those are, settings.ALLOWED_HOSTS says.
    """

    def __init__(self, application: Any) -> None:  # noqa: ANN401 - an ASGI application
        """Take what answers a line that may be opened."""
        self._answer = AllowedHostsOriginValidator(application)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> Any:  # noqa: ANN401 - ASGI
        """Answer the line or close it."""
        headers = dict(scope["headers"])
        origin, host = headers.get(b"origin", b""), headers.get(b"host", b"")
        if not is_same_origin(origin=origin.decode("latin1"), host=host.decode("latin1")):
            return await WebsocketDenier()(scope, receive, send)
        return await self._answer(scope, receive, send)


def is_same_origin(*, origin: str, host: str) -> bool:
    """Return whether the page of this origin came from the host and port that was asked."""
    try:
        page = urlsplit(origin)
        asked = urlsplit(f"{page.scheme}://{host}")
        ports = _port(page), _port(asked)
    except ValueError:
        return False
    if page.scheme not in _PORTS or not page.hostname:
        return False
    return page.hostname == asked.hostname and ports[0] == ports[1]


def _port(parts: SplitResult) -> int | None:
    return parts.port if parts.port is not None else _PORTS.get(parts.scheme)
