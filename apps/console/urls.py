"""Addresses of the compliance officer's console, mounted at /console/."""

from django.urls import path

from apps.console import decisions, evidence, registers

app_name = "console"
urlpatterns = [
    path("", decisions.index, name="decisions"),
    path("decisions/<uuid:decision_id>/", decisions.show, name="decision"),
    path("decisions/<uuid:decision_id>/proof/", evidence.proof, name="proof"),
    path("decisions/<uuid:decision_id>/evidence/", evidence.decision_bundle, name="bundle"),
    path("log/", evidence.log, name="log"),
    path("log/evidence/", evidence.log_bundle, name="log_bundle"),
    path("rules/", registers.rules, name="rules"),
    path("connections/", registers.connections, name="connections"),
    path("models/", registers.models, name="models"),
]
