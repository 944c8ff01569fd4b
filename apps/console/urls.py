"""Addresses of the compliance officer's console, mounted at /console/."""

from django.urls import path

from apps.console import (
    authority,
    controls,
    decisions,
    emergencies,
    evidence,
    policy_changes,
    privacy,
    reconciliation,
    registers,
)

app_name = "console"
urlpatterns = [
    path("", decisions.index, name="decisions"),
    path("decisions/<uuid:decision_id>/", decisions.show, name="decision"),
    path("decisions/<uuid:decision_id>/otherwise/", decisions.otherwise, name="otherwise"),
    path("decisions/<uuid:decision_id>/proof/", evidence.proof, name="proof"),
    path("decisions/<uuid:decision_id>/evidence/", evidence.decision_bundle, name="bundle"),
    path("log/", evidence.log, name="log"),
    path("log/evidence/", evidence.log_bundle, name="log_bundle"),
    path("log/evidence/chosen/", evidence.chosen_bundle, name="chosen_bundle"),
    path("rules/", registers.rules, name="rules"),
    path("rules/changes/", policy_changes.index, name="policy_changes"),
    path("rules/changes/back/", policy_changes.go_back, name="policy_back"),
    path("rules/changes/<uuid:proposal_id>/", policy_changes.show, name="policy_change"),
    path(
        "rules/changes/<uuid:proposal_id>/<str:step>/", policy_changes.answer, name="policy_answer"
    ),
    path("authority/", authority.index, name="authority"),
    path("authority/change/", authority.change, name="change_authority"),
    path("emergency/", emergencies.index, name="emergencies"),
    path("emergency/begin/", emergencies.begin, name="begin_emergency"),
    path("emergency/end/", emergencies.end, name="end_emergency"),
    path("privacy/", privacy.index, name="privacy"),
    path("privacy/change/", privacy.change, name="change_privacy"),
    path("privacy/<uuid:customer_id>/", privacy.report, name="access_report"),
    path("controls/", controls.index, name="controls"),
    path("connections/", registers.connections, name="connections"),
    path("reconciliation/", reconciliation.show, name="reconciliation"),
    path("models/", registers.models, name="models"),
]
