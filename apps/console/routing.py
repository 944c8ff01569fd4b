"""The console's WebSocket: news that a decision was taken or a checkpoint signed."""

from django.urls import path

import interaction.public

websocket_urlpatterns = [path("ws/console/", interaction.public.news_line(surface="console"))]
