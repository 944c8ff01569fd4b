"""The workspace's WebSocket: news that something changed; the page asks for the rest."""

from django.urls import path

import interaction.public

_LINE = interaction.public.news_line(surface="workspace")
websocket_urlpatterns = [
    path("ws/workspace/", _LINE),
    path("ws/workspace/cases/<uuid:case_id>/", _LINE),
]
