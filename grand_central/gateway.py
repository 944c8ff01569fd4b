"""The only way to a connector: a token is redeemed first, the outcome is recorded after."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

from django.db import transaction

from grand_central.connectors.catalogue import CORE, ROUTES
from grand_central.connectors.contract import Call, Connector
from grand_central.receipts import Receipt
from sentinel.public import present, record_outcome, redeem
from sentinel.vocabulary import Action, DecisionToken, OutcomeKind


class OperationUnknown(Exception):
    """No connector serves this operation: it is not in the catalogue."""

    code = "operation_unknown"
    is_retryable = False

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def execute(
    *,
    action: Action,
    token: DecisionToken,
    payload: object | None = None,
    new_id: Callable[[], UUID] = uuid4,
) -> Receipt:
    """Carry out an allowed action on the system that serves it, once, and record its outcome.

    Call it in a transaction. When it raises, neither the token is spent nor has anything moved,
    and the transaction can go on. `payload` is what the parameters only bind by a digest: the
    lines of a batch or of a list, as a tuple of text.

    Raises:
        OperationUnknown: no connector serves it.
        sentinel.public.TokenRefused: the token does not permit this action.
        CoreRefused: the system refused; nothing moved.
        OutcomeUnknown: it did not answer; ask `outcome_of` before trying again.
    """
    connector = ROUTES.get(action.kind)
    if connector is None:
        raise OperationUnknown(action.kind)
    if connector is CORE:
        presented = present(token=token, action=action, audience=connector.manifest.audience)
        receipt = CORE.execute_at_once(presented, new_id())
        if receipt is not None:
            return receipt
    with transaction.atomic():
        return _step_by_step(connector, action, token, payload)


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
