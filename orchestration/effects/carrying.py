"""Carrying out wanted effects: each step commits before the next, and any process may go on.

An effect is claimed for a while. Its decision is taken, its token is spent, the other system is
called, and what came of it is left for the step that asked, which the instance then takes in.
"""

import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db import connection, transaction

import sentinel.public
from orchestration import act, actions
from orchestration.act import Acted
from orchestration.core.deadlines import DEADLINE_EXCEEDED
from orchestration.durable import calls, store
from orchestration.durable.definitions import flow_of
from orchestration.durable.doorbell import database_time
from orchestration.durable.engine import move
from orchestration.durable.faults import crash_point
from orchestration.durable.lanes import Lanes
from orchestration.durable.run import context_of
from orchestration.durable.starting import principal_from
from orchestration.effects import rows
from orchestration.effects.rows import Given, Place, Wanted
from orchestration.step_results import Parked, Refused, StepContext
from sentinel.vocabulary import Action, Decision

ROUND_LIMIT = 50
# For how long a round waits for what it has begun, and how soon it looks for more meanwhile.
ROUND_SECONDS_MAX, LOOK_SECONDS = 2.0, 0.25
_LANES = Lanes("effect")
# How an effect ended that was not done: a code for the step, which may try again.
_NOT_DONE = "not_executed"


def carry_effects_once(*, limit: int = ROUND_LIMIT) -> int:
    """Take every wanted effect one step on, in every legal entity; return how many moved.

    Several processes may do so at once: each effect is claimed before it is worked on.
    """
    moved = 0
    for registered in sentinel.public.legal_entities():
        with sentinel.public.legal_entity(entity=registered.entity):
            moved += carry_effects_here(limit=limit, awaits_all=True)
    return moved


def carry_effects_here(*, limit: int = ROUND_LIMIT, awaits_all: bool = False) -> int:
    """Take every wanted effect of this legal entity one step on; return how many moved.

    So many are carried side by side that a slow system holds up none but its own. Unless it
    `awaits_all`, those that take long are left to end by themselves.
    """
    if connection.in_atomic_block:
        # Nobody else could see what the caller's transaction holds.
        return sum(carry(place) for place in rows.due_places(limit))
    moved, known = 0, set[Place]()
    under_way: set[Future[object]] = set()
    end = time.monotonic() + ROUND_SECONDS_MAX
    while awaits_all or time.monotonic() < end:
        under_way |= _begin_due(known, limit)
        if not under_way:
            break
        # What is wanted meanwhile is begun, too, as soon as it is seen.
        over, under_way = wait(under_way, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        moved += sum(bool(each.result()) for each in over)
    return moved


def _begin_due(known: set[Place], limit: int) -> set[Future[object]]:
    """Begin what is due and was not begun in this round, as far as there is room."""
    room = _LANES.reserve(limit - len(known))
    found: list[Place] = []
    try:
        if room:
            found = [each for each in rows.due_places(limit) if each not in known][:room]
    finally:
        _LANES.release(room - len(found))
    known.update(found)
    entity = sentinel.public.current_entity()
    return {_LANES.start(partial(_carried_in, entity, each)) for each in found}


def _carried_in(entity: str, place: Place) -> bool:
    with sentinel.public.legal_entity(entity=entity):
        return carry(place)


def carry(place: Place) -> bool:
    """Take one effect on as far as it goes now; False when it is not due or somebody holds it."""
    with transaction.atomic(durable=True):
        wanted = rows.claim(place)
    if wanted is None:
        return False
    crash_point("effect_claimed")
    context = _context(place)
    given = _no_longer_wanted(wanted, context) or _carried(wanted, context)
    if given is not None:
        _give(wanted, given)
    return True


def _carried(wanted: Wanted, context: StepContext) -> Given | None:
    try:
        begun = _begun(wanted, context)
    except act.EffectTaken:
        return None
    except calls.STEP_FAULTS as error:
        # Nothing was spent yet: the step hears that it was not done, and may try again.
        return Given("not_done", {"code": str(getattr(error, "code", type(error).__name__))})
    if isinstance(begun, Given):
        return begun
    action, token = begun
    return _called(wanted, action, token, _context(wanted.place).seconds_left)


def _begun(wanted: Wanted, context: StepContext) -> tuple[Action, UUID] | Given:
    """Return the action with the token it was begun under, or why it was not begun."""
    key = wanted.place.key(wanted.tries)
    action, facts = actions.proposal_of(wanted.action_kind, context, wanted.inputs, key)
    if wanted.token is not None:
        return action, wanted.token
    acted = act.begin_outside(
        action=action,
        principal=context.principal,
        purpose=context.purpose,
        facts=facts,
        at=context.at,
        keep_token=partial(_keep_token, wanted, context),
    )
    if acted.decision.token is None and acted.outcome is None:
        return _not_permitted(acted, context)
    return action, acted.decision.id


def _keep_token(wanted: Wanted, context: StepContext, decision: Decision) -> bool:
    actions.decided(Acted(decision, None), context)
    return rows.note_token(wanted, decision.id)


def _called(
    wanted: Wanted, action: Action, token: UUID, seconds_left: float | None
) -> Given | None:
    call = act.carry_outside(action=action, token_id=token, seconds_left=seconds_left)
    if not call.is_ended:
        rows.put_off(wanted, call.due_at)
        return None
    outcome = act.outcome_of_token(token)
    words = outcome.words if outcome else ""
    found = {
        "decision_id": str(token),
        "code": call.code,
        "reference": call.reference,
        "position": "",
        "words": words,
        "message": words,
    }
    match call.state:
        case "done":
            return Given("answered", {"output": found})
        case "refused":
            return Given("refused", {"code": "core_refused", "words": words, "output": found})
    return Given("not_done", {"code": f"{_NOT_DONE}_{call.code}"})


def _not_permitted(acted: Acted, context: StepContext) -> Given:
    with transaction.atomic():
        actions.decided(acted, context)
    result = actions.undecided(acted, context)
    if isinstance(result, Refused):
        values: Mapping[str, object] = {
            "code": result.code,
            "words": result.words,
            "output": dict(result.output),
        }
        return Given("refused", values)
    assert isinstance(result, Parked)
    return Given(
        "parked",
        {
            "waits_for": result.waits_for,
            "reference": str(result.reference),
            "decision_id": str(result.decision_id),
            "words": result.words,
        },
    )


def _no_longer_wanted(wanted: Wanted, context: StepContext) -> Given | None:
    """What nobody waits for any more is not begun; what was begun is carried to its end."""
    place = wanted.place
    if wanted.token is not None:
        return None
    if context.seconds_left is not None and context.seconds_left <= 0:
        return Given("not_done", {"code": DEADLINE_EXCEEDED})
    if calls.is_waiting_outside(place.instance_id, place.node, place.visit):
        return None
    return Given("not_done", {"code": "no_longer_wanted"})


def _give(wanted: Wanted, given: Given) -> None:
    place = wanted.place
    with transaction.atomic(durable=True):
        is_ours = rows.answer(wanted, given)
        if is_ours:
            calls.wake_outside(place.instance_id, place.node, place.visit)
    crash_point("effect_answered")
    if is_ours:
        # What this does not come to, the sweeper does.
        move(place.instance_id, at=database_time(), leaves_calls=True)


def _context(place: Place) -> StepContext:
    row = store.read_instance(place.instance_id)
    context = context_of(
        row,
        flow_of(row.definition),
        principal_from(row.principal),
        place.node,
        place.visit,
        database_time(),
    )
    give_up_at = calls.give_up_at(place.instance_id, place.node, place.visit)
    return replace(context, give_up_at=give_up_at)
