"""Which benches there are; each measures the product's own path, never a shortcut of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from deploy.benches.report import Report


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: rounds of some seconds each; a smoke run only shows that it works."""

    rounds: int
    seconds: float
    is_smoke: bool


FULL = Effort(rounds=5, seconds=2.0, is_smoke=False)
SMOKE = Effort(rounds=1, seconds=0.3, is_smoke=True)

BENCHES: Mapping[str, str] = {
    "authorize": "decide, issue, redeem, post and record, beside bare one-row commits",
    "sentinel": "token, policy, record, log, proof and raced redemptions, each beside its floor",
    "simulate": "a change of the rules tried on old decisions, beside bare questions to Cedar",
    "ledger": "batches of 100 transfers with per-item status, beside a bare set-based batch",
    "engine": "durable steps, run-ons and timers of flows, beside bare one-row commits",
    "load": "10,000 flows at once on four workers, one of them killed: none lost, none twice",
    "flow": "payments through the published flow, beside bare one-row commits",
    "chat": "message to first token, beside intent and slots alone",
}


def bench(name: str) -> Callable[[Effort], Report]:
    """Return the function that measures one bench.

    Raises:
        LookupError: there is no such bench.
    """
    if name not in BENCHES:
        raise LookupError(name)
    measure: Callable[[Effort], Report] = import_module(f"deploy.benches.{name}").measure
    return measure
