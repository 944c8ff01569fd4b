"""Every action a plan can come to is asked about beforehand, as the drawings in force say."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from orchestration import journeys
from orchestration.act import perform_action
from orchestration.planning import permitting
from orchestration.planning.effects import effects_of
from orchestration.planning.graph import Task
from orchestration.planning.rows import PlannedTask
from orchestration.versions.rollouts import flow_to_start
from sentinel.catalogue import action_kind, typed_parameters
from sentinel.vocabulary import Action, Provenance, Source
from tests.authority import count
from tests.journeys.test_hostile_browser import signed_in
from tests.journeys.test_plans import SAID, plan_card


def flow(process):
    return flow_to_start(process=process, instance_id=UUID(int=0))


def stop(bank, kind):
    """Have an action stopped for everybody."""
    parameters = {"scope": f"action:{kind}", "reason": "A drill"}
    action = Action(
        kind="kill_switch.throw",
        parameters=parameters,
        resource="kill_switch:drill",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(Provenance.SYSTEM, "console:1")),
    )
    with transaction.atomic():
        perform_action(
            action=action,
            principal=bank.employees["fatima"],
            purpose="operations",
            facts=(),
            at=datetime.now(UTC),
        )


def test_what_a_flow_performs_is_read_from_its_drawing(bank):
    found = {
        process: [(each.kind, each.is_needed) for each in effects_of(flow(process))]
        for process in ("send_money", "block_card")
    }

    assert found == {
        "send_money": [("payments.transfer", True)],
        "block_card": [("cards.block", True), ("cards.stop", False)],
    }


def test_every_action_of_everything_that_can_be_planned_can_be_asked_about(bank):
    asker = permitting.Asker(bank.anna, bank.customer_id, bank.clock.now())
    asked = set()

    for name, (_journey, request) in journeys.requests().items():
        planned = PlannedTask(Task("one", name), name)
        for effect in effects_of(flow(request.flow)) if request.flow else ():
            variables = permitting._likely(planned, asker)
            inputs = permitting._inputs(effect.node, flow(request.flow), variables, asker.at)
            action = Action(
                kind=effect.kind,
                parameters=inputs["parameters"],
                resource=inputs["resource"],
                case_id=UUID(int=0),
                idempotency_key="k",
            )
            assert typed_parameters(action_kind(effect.kind), action) is not None
            asked.add(effect.kind)

    assert asked == {"payments.transfer", "cards.block", "cards.stop"}


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("payments.transfer", "Pay Hendriks Vastgoed B.V. EUR 250.00"),
        ("cards.block", "Block a card"),
    ],
)
def test_a_step_that_cannot_be_done_without_it_is_refused_in_words(bank, kind, label):
    stop(bank, kind)
    chat, begun = bank.chat(), count("orch_instance")

    reply = chat.says(SAID)

    assert f"{label}: " in reply.text
    assert "Nothing was begun." in reply.text
    assert chat.cards("plan") == ()
    assert (count("orch_plan"), count("orch_instance")) == (0, begun)


def test_every_step_that_is_refused_is_named(bank):
    stop(bank, "payments.transfer")
    stop(bank, "cards.block")

    reply = bank.chat().says(SAID)

    assert "Block a card: " in reply.text
    assert "Pay Hendriks Vastgoed B.V. EUR 250.00: " in reply.text


def test_a_part_that_is_left_to_a_colleague_is_said_on_the_card(bank):
    stop(bank, "cards.stop")
    browser, before = signed_in("anna"), count("sentinel_decision")
    chat = bank.chat()

    chat.says(SAID)

    first, *others = plan_card(chat).details["steps"]
    assert first["warning"].startswith(
        "We cannot do all of this by ourselves, so a colleague completes it: "
    )
    assert [each["warning"] for each in others] == ["", ""]
    assert (count("orch_instance"), count("sentinel_decision")) == (0, before)
    sent = {"text": SAID, "sent_id": str(uuid4())}
    page = browser.post("/app/chat/", sent, follow=True).content.decode()
    assert first["warning"] in page


def test_a_plan_that_is_permitted_bears_no_warning(bank):
    chat = bank.chat()

    chat.says(SAID)

    assert [each["warning"] for each in plan_card(chat).details["steps"]] == [""] * 3
