"""The registry: what a service task of a drawing may name, and what answers it."""

from collections.abc import Callable, Mapping

import intelligence.public
from orchestration import actions, letters, models, orders, posted, reads, repeated
from orchestration.core.commands import CallKind
from orchestration.step_results import StepContext, StepResult, StepUnavailable

Step = Callable[[StepContext, Mapping[str, object]], StepResult]


class StepUnknown(LookupError):
    """A drawing names a step that this bank does not have."""

    code = "step_unknown"
    is_retryable = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


_READS: Mapping[str, Step] = {
    "payment_preview": repeated.payment_preview,
    "screening": reads.screening,
    "posted_transfer": posted.posted_transfer,
    "earlier_look": posted.earlier_look,
    "hold_standing": orders.hold_standing,
    "correspondent": letters.correspondent,
    "letter_facts": letters.letter_facts,
    "balance": reads.balance,
    "spending": reads.spending,
    "reference": reads.reference,
}
# What neither reads nor writes anything: it needs no savepoint and cannot break a transaction.
_PURE = frozenset({"reference"})
# What is looked up in our own tables in a moment. Whatever else is read may ask another system.
_IN_A_MOMENT = _PURE | {
    "balance",
    "correspondent",
    "earlier_look",
    "hold_standing",
    "letter_facts",
    "posted_transfer",
    "spending",
}
_MODELS: Mapping[str, Step] = {
    "fraud.payments": models.fraud_of_payment,
    "intent.understand": letters.classify,
    "letters.read": letters.extract,
    "letters.reply": letters.draft,
}


def is_pure(kind: CallKind, name: str) -> bool:
    """Tell whether a step touches nothing but its inputs."""
    return kind is CallKind.READ and name in _PURE


def takes_its_time(kind: CallKind, name: str) -> bool:
    """Tell whether a step asks a model or another system, so that others need not wait for it."""
    return kind is CallKind.MODEL or (kind is CallKind.READ and name not in _IN_A_MOMENT)


def is_known(kind: CallKind, name: str) -> bool:
    """Tell whether this bank has a step that is no action under this name."""
    return name in {CallKind.READ: _READS, CallKind.MODEL: _MODELS}.get(kind, {})


def call(
    *, kind: CallKind, name: str, context: StepContext, inputs: Mapping[str, object]
) -> StepResult:
    """Do one step.

    Raises:
        StepUnknown: there is none of that name.
        StepUnavailable: it cannot be done now.
    """
    if kind is CallKind.ACTION:
        return actions.call_action(name, context, inputs)
    step = (_READS if kind is CallKind.READ else _MODELS).get(name)
    if step is None or kind is CallKind.AGENT:
        raise StepUnknown(f"{kind}:{name}")
    try:
        return step(context, inputs)
    except intelligence.public.NoModelAnswered as error:
        raise StepUnavailable(error.code) from error
