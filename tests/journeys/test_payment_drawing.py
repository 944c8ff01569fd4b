"""The payment's drawing and rules on the pure engine: every way through, without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration import bpmn, core, dmn
from orchestration.core.commands import Complete, CreateHumanTask, OutcomeKind, RaiseEscalation
from orchestration.core.events import (
    FailureKind,
    Started,
    TaskCompleted,
    TaskFailed,
    TimerFired,
    UserTaskCompleted,
)

FOLDER = Path(__file__).resolve().parents[2] / "apps" / "journeys" / "payments"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = {"payment_rules.dmn": dmn.parse((FOLDER / "payment_rules.dmn").read_bytes())}
VARIABLES = {
    "debtor_account_id": "a1",
    "creditor_iban": "NL-FROM-DOCUMENT",
    "creditor_name": "Hendriks Vastgoed B.V.",
    "amount": {"minor_units": Decimal(95_000), "currency": "EUR"},
    "sources": {"creditor_iban": {"provenance": "document", "reference": "orch_document:1"}},
}
PREVIEW = {
    "problem": None,
    "name_check": {"result": "match", "words": "matches"},
    "is_iban_known": False,
    "known_iban": "NL-KNOWN",
    "is_payee_trusted": False,
}


class Drive:
    """Runs the drawing and answers what it asks for."""

    def __init__(self):
        drawing = bpmn.parse((FOLDER / "send_money.bpmn").read_bytes())
        self.findings = bpmn.check(drawing)
        self.definition = core.deploy(drawing, process="send_money")
        self.state = core.new_state(process="send_money")
        self.open = {}
        self.ended = None
        self.nodes = []
        self.send(Started(VARIABLES))

    def send(self, event, at=AT):
        step = core.advance(self.definition, self.state, event, at=at, decisions=RULES)
        assert step.ignored is None, step.ignored
        self.state = step.state
        for command in step.commands:
            if hasattr(command, "inputs"):
                self.open[command.node] = command
                self.nodes.append(command.node)
            if isinstance(command, Complete):
                self.ended = command
        return step

    def answer(self, node, **output):
        command = self.open.pop(node)
        user = isinstance(command, CreateHumanTask)
        event = UserTaskCompleted if user else TaskCompleted
        self.send(event(command.token, output))

    def refuse(self, node, code, **output):
        command = self.open.pop(node)
        kind = FailureKind.BUSINESS
        self.send(TaskFailed(command.token, kind, code, "", {"code": code, **output}))

    def to_confirm(self, **preview):
        self.answer("preview", **{**PREVIEW, **preview})
        self.answer("screening", status="clear")
        self.answer("fraud", band="low", score_permille=Decimal(12))


@pytest.fixture
def drive():
    return Drive()


def test_drawing_has_nothing_to_find_fault_with(drive):
    assert drive.findings == ()


def test_confirmed_payment_is_paid(drive):
    drive.to_confirm(is_iban_known=True)
    assert list(drive.open) == ["confirm"]
    drive.answer("confirm", answer="confirm")
    drive.answer("pay", reference="t1")

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert drive.nodes == ["preview", "screening", "fraud", "confirm", "pay"]


def test_cancelled_payment_is_never_asked_of_sentinel(drive):
    drive.to_confirm()
    drive.answer("confirm", answer="cancel")

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert "pay" not in drive.nodes


def test_confirmation_that_nobody_gives_expires(drive):
    drive.to_confirm()
    (timer,) = drive.state.timers
    drive.send(TimerFired(timer.id), at=AT + timedelta(minutes=10))

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert "pay" not in drive.nodes


def test_document_iban_is_warned_about_on_the_card(drive):
    drive.to_confirm()

    warnings = drive.open["confirm"].inputs["warnings"]

    assert list(warnings) == [
        "The account number came from a document and is not the one you paid before."
    ]


def test_problem_found_at_first_look_stops_it_in_words(drive):
    drive.answer("preview", **{**PREVIEW, "problem": {"code": "own_account", "words": "No."}})

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert drive.ended.variables["rules"]["words"] == "No."
    assert drive.nodes == ["preview"]


@pytest.mark.parametrize(("cleared", "asked"), [(True, "fraud"), (False, None)])
def test_possible_match_goes_to_a_person(drive, cleared, asked):
    drive.answer("preview", **PREVIEW)
    drive.answer("screening", status="possible")
    assert list(drive.open) == ["screening_review"]
    drive.answer("screening_review", cleared=cleared)

    assert (drive.ended is None) is cleared
    assert (asked in drive.open) is cleared


def test_listed_payee_is_refused_without_a_person(drive):
    drive.answer("preview", **PREVIEW)
    drive.answer("screening", status="hit")

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert "screening_review" not in drive.nodes


def test_denial_that_a_call_helps_is_called_back_corrected_and_tried_again(drive):
    drive.to_confirm()
    drive.answer("confirm", answer="confirm")
    first_visit = drive.open["pay"].visit
    drive.refuse("pay", "denied", remedy="call_back")
    drive.answer(
        "call_back",
        done=True,
        creditor_iban="NL-KNOWN",
        source={"provenance": "employee_confirmed", "reference": "orch_task:7"},
    )
    drive.to_confirm(is_iban_known=True)

    pay = drive.open["pay"]
    assert pay.inputs["parameters"]["creditor_iban"] == "NL-KNOWN"
    assert pay.inputs["sources"]["creditor_iban"]["provenance"] == "employee_confirmed"
    assert pay.visit > first_visit  # another visit, hence another idempotency key
    assert "confirm" not in drive.open


def test_call_that_says_no_ends_it(drive):
    drive.to_confirm()
    drive.answer("confirm", answer="confirm")
    drive.refuse("pay", "denied", remedy="call_back")
    drive.answer("call_back", done=False)

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert drive.ended.variables["creditor_iban"] == "NL-FROM-DOCUMENT"


@pytest.mark.parametrize("code", ["denied", "approval_rejected", "core_refused"])
def test_refusal_without_a_remedy_ends_it(drive, code):
    drive.to_confirm()
    drive.answer("confirm", answer="confirm")
    drive.refuse("pay", code)

    assert drive.ended.outcome is OutcomeKind.COMPLETED
    assert drive.nodes[-1] == "pay"


def test_staff_deadline_escalates_before_it_passes(drive):
    drive.to_confirm()
    drive.answer("confirm", answer="confirm")
    drive.refuse("pay", "denied", remedy="call_back")
    (timer,) = drive.state.timers
    step = drive.send(TimerFired(timer.id), at=AT + timedelta(hours=3))

    assert any(isinstance(command, RaiseEscalation) for command in step.commands)
    assert drive.ended is None
    assert drive.open["call_back"].due == "PT4H"
