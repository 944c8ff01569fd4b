"""Addresses for programs, mounted at /api/: each names its legal entity, or has a session."""

from django.urls import path, re_path

from apps.api import edge, keys, planning, starting

app_name = "api"
urlpatterns = [
    path("v1/plans", planning.ProposePlan.as_view(), name="plans"),
    path("v1/<slug:entity>/jwks.json", keys.KeySet.as_view(), name="jwks"),
    path(
        "v1/<slug:entity>/flows/<slug:process>/<slug:name>",
        starting.StartFlow.as_view(),
        name="start",
    ),
    path("v1/<slug:entity>/messages/<str:name>", starting.TakeMessage.as_view(), name="message"),
    path("v1/<slug:entity>/webhooks/<slug:source>", starting.TakeWebhook.as_view(), name="webhook"),
    re_path(r"", edge.Nowhere.as_view(), name="nowhere"),
]
