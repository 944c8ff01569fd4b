"""The registry: what a service task of a drawing may name, and what answers it."""

from collections.abc import Callable, Mapping

from orchestration import actions, models, reads
from orchestration.core.commands import CallKind
from orchestration.step_results import StepContext, StepResult

Step = Callable[[StepContext, Mapping[str, object]], StepResult]


class StepUnknown(LookupError):
    """A drawing names a step that this bank does not have."""

    code = "step_unknown"
    is_retryable = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


_READS: Mapping[str, Step] = {
    "payment_preview": reads.payment_preview,
    "screening": reads.screening,
    "balance": reads.balance,
    "spending": reads.spending,
}
_MODELS: Mapping[str, Step] = {"fraud.payments": models.fraud_of_payment}


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
    return step(context, inputs)
