"""Work that no flow draws a clock for has one all the same, and presses when its time comes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from orchestration.durable import sweeping
from orchestration.public import TaskFilters, complete, set_calendar, tasks
from orchestration.worklist import clocks
from tests.layers.orchestration.flows import AT, CALLS, SCRIPTS, nodes_of
from tests.layers.orchestration.test_ad_hoc import AD_HOC

WEEKDAYS = {
    "zone": "UTC",
    "hours": {
        day: [["09:00", "17:00"]]
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    },
}
FRIDAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
BROKEN = CALLS.format(call="read:balance", attempts=1)
TAKEN_UP = """
<boundaryEvent id="late" attachedToRef="ask"><escalationEventDefinition/></boundaryEvent>
<endEvent id="given_up"/><sequenceFlow id="g" sourceRef="late" targetRef="given_up"/>
"""


def monday(hour, day=23):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def only(employee, kind):
    (task,) = tasks(principal=employee, filters=TaskFilters(kind=kind))
    return task


def stopped(flows, body=BROKEN):
    return flows.started(flows.published(body), name="A", iban="B")


def test_an_incident_of_a_saturday_is_due_on_monday(flows, employee):
    set_calendar(content=WEEKDAYS, principal=employee, at=AT)

    stopped(flows)

    task = only(employee, "incident")
    assert (task.warn_at, task.due_at) == (monday(12), monday(13))


def test_each_choice_of_what_is_done_next_has_a_clock_of_its_own(flows, employee):
    body = AD_HOC.format(ordering="Parallel", condition="false")
    flows.started(flows.published(body), counted=0)

    first = only(employee, "choice")
    later = AT + timedelta(hours=2)
    complete(
        task_id=first.id, principal=employee, answer={"activity": "count"}, comment="", at=later
    )

    hours = timedelta(hours=6), timedelta(hours=8)
    assert (first.warn_at - AT, first.due_at - AT) == hours
    again = only(employee, "choice")
    assert again.id != first.id
    assert (again.warn_at - later, again.due_at - later) == hours


@pytest.mark.parametrize(
    ("sla", "warn_hours", "due_hours"),
    [
        ("", 6, 8),
        ('<frontline:sla due="= nothing" warn="= nothing"/>', 6, 8),
        ('<frontline:sla warn="PT2H"/>', 2, 8),
        ('<frontline:sla warn="PT10H"/>', 10, 10),
        ('<frontline:sla due="PT1H"/>', None, 1),
    ],
)
def test_work_without_a_drawn_deadline_has_the_usual_one(
    flows, employee, sla, warn_hours, due_hours
):
    body = SCRIPTS.replace('<frontline:sla due="PT4H" warn="PT3H"/>', sla)

    flows.started(flows.published(body), amount=21, nothing=None)

    (task,) = tasks(principal=employee, filters=TaskFilters())
    warn_at = None if warn_hours is None else AT + timedelta(hours=warn_hours)
    assert (task.warn_at, task.due_at) == (warn_at, AT + timedelta(hours=due_hours))


@pytest.mark.parametrize(
    ("allowance", "warn_at", "due_at"),
    [
        (clocks.APPROVAL, monday(11), monday(12)),
        (clocks.INCIDENT, monday(11), monday(12)),
        (clocks.SECOND_PERSON, monday(14), monday(16)),
        (clocks.HANDOFF, FRIDAY + timedelta(hours=1), monday(10)),
        (clocks.CHOICE, monday(14), monday(16)),
        (clocks.WORK, monday(14), monday(16)),
    ],
)
def test_a_weekend_does_not_count(employee, allowance, warn_at, due_at):
    set_calendar(content=WEEKDAYS, principal=employee, at=FRIDAY)

    assert clocks.allowed(("operations",), FRIDAY, allowance) == (warn_at, due_at)


def test_a_desk_that_never_opens_again_is_counted_round_the_clock(employee):
    every = [(date(2026, 11, 16) + timedelta(weeks=week)).isoformat() for week in range(600)]
    never = {"zone": "UTC", "hours": {"monday": [["09:00", "17:00"]]}, "closed": every}
    set_calendar(content=never, principal=employee, at=AT)

    found = clocks.allowed(("operations",), AT, clocks.INCIDENT)

    assert found == (AT + timedelta(hours=3), AT + timedelta(hours=4))


def test_an_incident_that_presses_is_brought_forward_and_moves_nothing(flows, employee):
    instance_id = stopped(flows, BROKEN + TAKEN_UP)

    sweeping.sweep(limit=10, clock=lambda: AT + timedelta(hours=3, minutes=1))

    task = only(employee, "incident")
    assert (task.is_escalated, task.escalated_why) == (True, "Its warning time has come.")
    assert nodes_of(instance_id) == {"ask"}
