"""Addresses for programs, mounted at /api/: each names its legal entity, or has a session.

Those of the Authorization API are where its standard has them, and go by the entity of the key.
"""

from django.urls import path, re_path

from apps.api import edge, evaluating, evidence, keys, planning, redeeming, starting

app_name = "api"
root_urlpatterns = [
    path("access/v1/evaluation", evaluating.Evaluate.as_view(), name="evaluation"),
    path("access/v1/evaluations", evaluating.EvaluateMany.as_view(), name="evaluations"),
    path(
        ".well-known/authzen-configuration",
        evaluating.Metadata.as_view(),
        name="authzen-configuration",
    ),
]
urlpatterns = [
    path("v1/plans", planning.ProposePlan.as_view(), name="plans"),
    path("v1/<slug:entity>/jwks.json", keys.KeySet.as_view(), name="jwks"),
    path(
        "v1/<slug:entity>/log/checkpoint",
        evidence.LogCheckpoint.as_view(),
        name="log_checkpoint",
    ),
    path("v1/<slug:entity>/log/tile/<path:path>", evidence.LogTile.as_view(), name="log_tile"),
    path(
        "v1/<slug:entity>/log/consistency",
        evidence.LogConsistency.as_view(),
        name="log_consistency",
    ),
    path(
        "v1/<slug:entity>/log/inclusion/<uuid:record_id>",
        evidence.LogInclusion.as_view(),
        {"form": "json"},
        name="log_inclusion",
    ),
    path(
        "v1/<slug:entity>/log/inclusion/<uuid:record_id>.tlog-proof",
        evidence.LogInclusion.as_view(),
        {"form": "tlog-proof"},
        name="log_proof",
    ),
    path(
        "v1/<slug:entity>/log/receipts/<uuid:decision_id>",
        evidence.LogReceipts.as_view(),
        name="log_receipts",
    ),
    path(
        "v1/<slug:entity>/flows/<slug:process>/<slug:name>",
        starting.StartFlow.as_view(),
        name="start",
    ),
    path("v1/<slug:entity>/messages/<str:name>", starting.TakeMessage.as_view(), name="message"),
    path("v1/<slug:entity>/webhooks/<slug:source>", starting.TakeWebhook.as_view(), name="webhook"),
    path("v1/<slug:entity>/tokens", redeeming.AskForPermit.as_view(), name="permit"),
    path("v1/<slug:entity>/tokens/redeem", redeeming.RedeemToken.as_view(), name="redeem"),
    path(
        "v1/<slug:entity>/tokens/<uuid:token>/outcome",
        redeeming.TokenOutcome.as_view(),
        name="outcome",
    ),
    re_path(r"", edge.Nowhere.as_view(), name="nowhere"),
]
