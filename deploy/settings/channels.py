"""Which channel layer carries news to open screens: PostgreSQL itself, or Redis."""

from collections.abc import Mapping
from typing import Any


def channel_layers(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return CHANNELS_URL (redis://) as a layer, else LISTEN/NOTIFY on our own PostgreSQL."""
    url = environment.get("CHANNELS_URL")
    if url:
        backend = "channels_redis.core.RedisChannelLayer"
        return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [url]}}}
    return {"default": {"BACKEND": "deploy.channel_layer.PgNotifyChannelLayer", "CONFIG": {}}}
