"""The customer's WebSocket."""

from django.urls import path

from apps.customer.stream import CustomerStream

websocket_urlpatterns = [path("ws/app/", CustomerStream.as_asgi())]
