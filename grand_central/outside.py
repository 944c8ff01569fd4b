"""Calls to systems outside, after their tokens were spent: claimed, made, concluded.

Three steps with a commit between each, so that a process may end anywhere. A request is sent under
a lease, with the token's id as the idempotency key. When the answer is lost the outcome is
unknown, and the other system is asked before anything is sent again; "not found" means "not done"
only once the request can no longer be accepted and the system's finality window is over.
"""

import json
import math
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from pydantic import BaseModel, ValidationError

from grand_central import outside_rows as rows
from grand_central.connectors.catalogue import OUTSIDE
from grand_central.connectors.contract import NOT_CONFIGURED, Answer, Call, StatementUnavailable
from grand_central.gateway import DEADLINE_EXCEEDED
from grand_central.operations.catalogue import OPERATIONS
from grand_central.outside_rows import Claim, OutsideState
from grand_central.receipts import words_of
from sentinel.public import database_time, legal_entities, legal_entity, record_outcome
from sentinel.vocabulary import Action, OutcomeKind

# One exchange may take its deadline to connect and its deadline to answer.
DEADLINES_HELD = 3
SENDS_MAX = 5
BACKOFF_SECONDS_MAX = 60.0
ROUND_LIMIT = 100
_ENTRIES = {entry.kind: entry for entry in OPERATIONS}
_ENDS: dict[str, OutsideState] = {"done": "done", "refused": "refused"}


class InTransaction(RuntimeError):
    """A system outside is never called within a transaction of ours."""

    code = "in_transaction"
    is_retryable = False


class ActionAltered(ValueError):
    """These are not the parameters that were permitted."""

    code = "action_altered"
    is_retryable = False

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def is_outside(*, kind: str) -> bool:
    """Tell whether an action is carried out by a system that keeps its own books."""
    return kind in OUTSIDE


def unsettled_seconds(*, kind: str) -> float:
    """Return for how long after its token's end what became of an action may still change."""
    connector = OUTSIDE.get(kind)
    if connector is None:
        return 0.0
    return SENDS_MAX * (connector.valid_seconds + connector.finality_seconds)


def stated_outside() -> tuple[frozenset[UUID], list[str]]:
    """Return the tokens systems outside state, and the names of those that gave no statement."""
    stated, unanswered = frozenset[UUID](), list[str]()
    for connector in dict.fromkeys(OUTSIDE.values()):
        try:
            stated |= connector.stated()
        except StatementUnavailable as error:
            # Without an address and without a call, ever, there is nothing to be stated.
            if error.reason != NOT_CONFIGURED or rows.was_ever_called():
                unanswered.append(error.system)
    return stated, unanswered


def claim_outside(
    *, action: Action, token_id: UUID, seconds_left: float | None = None
) -> Claim | None:
    """Take a begun call for a while, in a commit of its own; None when there is nothing to do now.

    A request is good for no longer than the `seconds_left` of whoever wants it.

    Raises:
        ActionAltered: the parameters cannot be those that were permitted.
        RuntimeError: the caller has opened a transaction.
    """
    _, digest = _typed(action)
    return _claim(token_id, action.kind, digest, seconds_left)


def call_outside(*, claim: Claim, action: Action, seconds_left: float | None = None) -> Answer:
    """Make a claimed call, or ask what became of it; whatever goes wrong is an answer, too.

    Without any `seconds_left` nothing is sent; what was sent before is asked about all the same.

    Raises:
        InTransaction: the caller has opened a transaction.
    """
    _require_no_transaction()
    connector = OUTSIDE[claim.action_kind]
    if claim.task == "ask":
        return connector.ask(claim.token)
    if seconds_left is not None and seconds_left <= 0:
        return Answer("not_executed", DEADLINE_EXCEEDED)
    parameters, _ = _typed(action)
    call = Call(
        claim.action_kind,
        claim.token,
        action.idempotency_key,
        parameters,
        seconds_left=seconds_left,
    )
    return connector.send(call, claim.valid_until)


def conclude_outside(*, claim: Claim, answer: Answer) -> bool:
    """Write what came of a claimed call, with its outcome, in one commit.

    Return False when another process has taken the call meanwhile: then nothing is written.
    """
    state, due_seconds = _judged(claim, answer)
    what = f"{claim.task}_{answer.said}"
    with transaction.atomic(durable=True):
        is_ours = rows.note(
            held=claim,
            state=state,
            what=what,
            code=answer.code,
            reference=answer.reference,
            due_seconds=due_seconds,
        )
        if is_ours:
            _record(claim.token, state, answer)
    return is_ours


def ask_outside_once() -> int:
    """Ask about every call whose answer is missing, in every legal entity; return how many ended.

    Several processes may do so at once: a call is claimed before it is asked about.
    """
    ended = 0
    for registered in legal_entities():
        with legal_entity(entity=registered.entity):
            for token, kind in rows.to_be_asked(ROUND_LIMIT):
                ended += _ask(token, kind)
    return ended


def _ask(token: UUID, kind: str) -> bool:
    held = _claim(token, kind, None)
    if held is None:
        return False
    conclude_outside(claim=held, answer=OUTSIDE[kind].ask(token))
    found = rows.outside_call(token_id=token)
    return found is not None and found.is_ended


def _claim(
    token: UUID, kind: str, digest: bytes | None, seconds_left: float | None = None
) -> Claim | None:
    connector = OUTSIDE[kind]
    valid_seconds = connector.valid_seconds
    if seconds_left is not None:
        valid_seconds = max(1, min(valid_seconds, math.ceil(seconds_left)))
    with transaction.atomic(durable=True):
        held = rows.claim(
            token=token,
            action_kind=kind,
            effect_digest=digest,
            lease_seconds=math.ceil(connector.deadline_seconds * DEADLINES_HELD),
            valid_seconds=valid_seconds,
        )
        if held is not None and held.task == "ask":
            # The answer may have been lost with the process that waited for it.
            record_outcome(decision_id=token, kind=OutcomeKind.UNKNOWN, code="answer_lost")
    return held


def _typed(action: Action) -> tuple[BaseModel, bytes]:
    """Return the parameters in their types, and the digest by which they were redeemed."""
    entry = _ENTRIES[action.kind]
    try:
        model = entry.parameters.model_validate_json(json.dumps(dict(action.parameters)))
    except (TypeError, ValueError, ValidationError) as error:
        raise ActionAltered(action.kind) from error
    assert entry.effect_digest is not None, "a call outside is bound by its effect"
    return model, entry.effect_digest(model)


def _judged(claim: Claim, answer: Answer) -> tuple[OutsideState, float]:
    """Return how a call stands after an answer, and in how many seconds to look again."""
    end = _ENDS.get(answer.said)
    if end is not None:
        return end, 0.0
    wait = _wait(claim, answer)
    if answer.said == "not_executed" and claim.task == "send":
        is_given_up = claim.sends >= SENDS_MAX or answer.code == DEADLINE_EXCEEDED
        return ("not_done", 0.0) if is_given_up else ("not_sent", wait)
    if answer.said == "not_found" and claim.task == "ask":
        return _not_found(claim, wait)
    return "unknown", wait


def _not_found(claim: Claim, wait: float) -> tuple[OutsideState, float]:
    """What was not found is not done once nothing under way can arrive any more."""
    final_at = claim.valid_until + timedelta(seconds=OUTSIDE[claim.action_kind].finality_seconds)
    left = (final_at - database_time()).total_seconds()
    if left > 0:
        return "unknown", min(wait, left + 0.1)
    return ("not_done", 0.0) if claim.sends >= SENDS_MAX else ("not_sent", 0.0)


def _wait(claim: Claim, answer: Answer) -> float:
    tried = claim.sends if claim.task == "send" else claim.asks
    doubled = 0.5 * 2.0 ** min(tried, 10)
    spread = 1 + claim.token.int % 11 / 100
    return min(max(doubled * spread, answer.retry_after_seconds or 0.0), BACKOFF_SECONDS_MAX)


def _record(token: UUID, state: OutsideState, answer: Answer) -> None:
    match state:
        case "done":
            words = "It has been done."
            kind = OutcomeKind.DONE
        case "refused":
            words = words_of(answer.code)
            kind = OutcomeKind.FAILED
        case "not_done":
            words = words_of("not_executed")
            kind = OutcomeKind.FAILED
        case "unknown":
            words, kind = "", OutcomeKind.UNKNOWN
        case _:
            return
    code = answer.code if state != "not_done" else f"not_executed_{answer.code}"
    record_outcome(decision_id=token, kind=kind, code=code, reference=answer.reference, words=words)


def _require_no_transaction() -> None:
    # A test's own transaction around everything is no transaction of ours.
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise InTransaction
