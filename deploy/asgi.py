"""HTTP, WebSocket and lifespan entry: `uvicorn deploy.asgi:application`."""

import os
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.development")
# Django must be set up before anything below imports a model.
_http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from interaction.public import SameOriginLine  # noqa: E402

_APPS = ("customer", "workspace", "console", "studio", "api")
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def lifespan(_scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer the server's start and stop, which Channels leaves unanswered."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def _websocket_routes() -> list[Any]:
    return [
        route
        for name in _APPS
        if find_spec(f"apps.{name}.routing")
        for route in import_module(f"apps.{name}.routing").websocket_urlpatterns
    ]


application = ProtocolTypeRouter(
    {
        "http": _http,
        "websocket": SameOriginLine(AuthMiddlewareStack(URLRouter(_websocket_routes()))),
        "lifespan": lifespan,
    }
)
