"""HTTP and WebSocket entry: `uvicorn deploy.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.development")

application = get_asgi_application()
