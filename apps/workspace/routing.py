"""The workspace's WebSocket: news that something changed; the page asks for the rest."""

from django.urls import path

import interaction.public

websocket_urlpatterns = [path("ws/workspace/", interaction.public.news_line(surface="workspace"))]
