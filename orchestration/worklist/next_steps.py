"""Answers to an ad-hoc sub-process: which activity is done next, or that it is enough."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid5

from orchestration.core.events import ActivitiesEnded, ActivityChosen
from orchestration.durable import engine, offers, store
from orchestration.durable.definitions import flow_of
from orchestration.worklist.forms import AnswerRefused
from orchestration.worklist.rows import TaskRow
from sentinel.vocabulary import Principal


def choose(row: TaskRow, values: Mapping[str, object], principal: Principal, at: datetime) -> None:
    """Let the chosen activity begin and ask for the next one, or end the choosing.

    Raises:
        AnswerRefused: the drawing lets one activity be done at a time, and one is under way.
    """
    assert row.instance_id is not None
    assert row.token is not None
    activity = str(values["activity"])
    event: ActivityChosen | ActivitiesEnded = ActivitiesEnded(row.token, ended_by=principal.id)
    if activity != offers.ENOUGH:
        _require_free(row)
        offers.ask_again(row, at)
        event = ActivityChosen(row.token, activity, chosen_by=principal.id)
    engine.answer(
        instance_id=row.instance_id, message_id=uuid5(row.id, "chosen"), event=event, at=at
    )


def _require_free(row: TaskRow) -> None:
    assert row.instance_id is not None
    instance = store.read_instance(row.instance_id)
    flow = flow_of(instance.definition)
    # In another version than the one that asked, it may have another name.
    node = next((each.node for each in instance.state.tokens if each.id == row.token), None)
    if node is None or not offers.is_one_at_a_time(flow, node):
        return
    if offers.is_one_under_way(flow, instance.state, node):
        raise AnswerRefused({"activity": "One is under way. Finish it before the next."})
