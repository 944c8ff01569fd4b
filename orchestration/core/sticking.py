"""Noticing that an instance stands for ever, because all of it waits for what cannot come."""

from orchestration.core.flows import is_offering
from orchestration.core.run import Run
from orchestration.core.state import Subscription, Timer, Token, Wait

_WAITS_ON_ITSELF = {Wait.JOIN, Wait.SCOPE, Wait.RESET}


def stuck(run: Run) -> Token | None:
    """Find the oldest token at a join of an instance that nothing from outside can move on.

    A timer or a message an activity waits for can; what only an event sub-process listens to is
    no way on, because it need never come.
    """
    tokens = run.tokens.values()
    if not all(token.wait in _WAITS_ON_ITSELF for token in tokens):
        return None
    ears: list[Timer | Subscription] = [*run.timers.values(), *run.subscriptions.values()]
    if any(ear.owner in run.tokens for ear in ears):
        return None
    if any(is_offering(run, scope) for scope in run.scopes.values()):
        return None
    joins = (token for token in tokens if token.wait is Wait.JOIN)
    return next(joins, None)
