"""The only way to a connector: a token is redeemed first, the outcome is recorded after."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID, uuid4

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from grand_central.connectors.catalogue import CORE, OUTSIDE, ROUTES
from grand_central.connectors.contract import Call, Connector
from grand_central.outside_rows import keep_intent
from grand_central.receipts import Receipt
from sentinel.public import present, record_outcome, redeem
from sentinel.vocabulary import Action, DecisionToken, OutcomeKind

DEADLINE_EXCEEDED = "deadline_exceeded"
# A day: what has more time than that is not measured in statements.
STATEMENT_MILLISECONDS_MAX = 86_400_000
# As it was said, to be said again, and in milliseconds; an interval reads every unit it is said in.
_TIMEOUT = """
    SELECT said, (extract(epoch FROM said::interval) * 1000)::bigint
    FROM current_setting('statement_timeout') AS said
"""


class OperationUnknown(Exception):
    """No connector serves this operation: it is not in the catalogue."""

    code = "operation_unknown"
    is_retryable = False

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class DeadlineExceeded(TimeoutError):
    """There was no time left for it, or it took longer than there was; nothing moved."""

    code = DEADLINE_EXCEEDED
    is_retryable = False

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def execute(
    *,
    action: Action,
    token: DecisionToken,
    payload: object | None = None,
    seconds_left: float | None = None,
    new_id: Callable[[], UUID] = uuid4,
) -> Receipt:
    """Carry out an allowed action on the system that serves it, once, and record its outcome.

    Call it in a transaction. When it raises, neither the token is spent nor has anything moved,
    and the transaction can go on. `payload` is what the parameters only bind by a digest: the
    lines of a batch or of a list, as a tuple of text. Whoever wants it waits for `seconds_left`.

    Raises:
        OperationUnknown: no connector serves it.
        sentinel.public.TokenRefused: the token does not permit this action.
        CoreRefused: the system refused; nothing moved.
        OutcomeUnknown: it did not answer; ask `outcome_of` before trying again.
        DeadlineExceeded: it could not be done in time.
    """
    if seconds_left is None:
        return _execute(action, token, payload, new_id)
    with within(seconds_left, action.kind):
        return _execute(action, token, payload, new_id)


@contextmanager
def within(seconds: float, kind: str) -> Iterator[None]:
    """Let no statement of the block take longer than what is left; what was late is taken back.

    Raises:
        DeadlineExceeded: it took longer, or nothing was left.
    """
    if seconds <= 0:
        raise DeadlineExceeded(kind)
    milliseconds = max(1, min(math.ceil(seconds * 1000), STATEMENT_MILLISECONDS_MAX))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TIMEOUT)
            before, limit = cursor.fetchone()
            # Nought is no limit; a shorter one stays.
            shorter = min(milliseconds, limit or milliseconds)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(shorter)])
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise DeadlineExceeded(kind) from error
        raise


def _execute(
    action: Action,
    token: DecisionToken,
    payload: object | None,
    new_id: Callable[[], UUID],
) -> Receipt:
    connector = ROUTES.get(action.kind)
    if connector is None:
        raise OperationUnknown(action.kind)
    if connector is CORE:
        presented = present(token=token, action=action, audience=connector.manifest.audience)
        receipt = CORE.execute_at_once(presented, payload, new_id())
        if receipt is not None:
            return receipt
    with transaction.atomic():
        return _step_by_step(connector, action, token, payload)


def begin_outside(*, action: Action, token: DecisionToken) -> None:
    """Spend the token of a call to a system outside and keep the intent, in one transaction.

    Once that has committed, the call may be made by whoever claims it; nobody else ever may.

    Raises:
        OperationUnknown: no system outside serves it.
        sentinel.public.TokenRefused: the token does not permit this action.
    """
    connector = OUTSIDE.get(action.kind)
    if connector is None:
        raise OperationUnknown(action.kind)
    with transaction.atomic():
        redemption = redeem(token=token, action=action, audience=connector.manifest.audience)
        keep_intent(redemption.decision_id)


def _step_by_step(
    connector: Connector, action: Action, token: DecisionToken, payload: object | None
) -> Receipt:
    redemption = redeem(token=token, action=action, audience=connector.manifest.audience)
    receipt = connector.execute(
        Call(
            operation=action.kind,
            token=redemption.decision_id,
            idempotency_key=action.idempotency_key,
            parameters=redemption.parameters,
            payload=payload,
        )
    )
    outcome = record_outcome(
        decision_id=redemption.decision_id,
        kind=OutcomeKind.DONE,
        code=receipt.status,
        reference=receipt.reference,
        position=receipt.position,
        words=receipt.words,
    )
    return replace(receipt, outcome=outcome)
