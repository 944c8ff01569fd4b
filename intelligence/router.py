"""Choose who answers: by data class, deadline and rollout, with a fallback, each hop recorded."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db import transaction

import sentinel.public
from intelligence import records, registry
from intelligence.artefact_files import ArtefactRefused
from intelligence.providers import local
from intelligence.records import NewCall
from intelligence.registry import RegisteredModel

PERSONAL: Final = "personal"
_CHAMPION_ORDER: Final = (registry.CHAMPION, registry.FALLBACK)
_MICROSECONDS: Final = 1_000
Result = TypeVar("Result")


class NoModelAnswered(Exception):
    """No registered model may or can answer: a person has to."""

    code = "no_model_answered"
    is_retryable = True

    def __init__(self, capability: str, reasons: tuple[str, ...]) -> None:
        super().__init__(capability, reasons)
        self.capability, self.reasons = capability, reasons


@dataclass(frozen=True, slots=True)
class Need:
    """What is asked of a model, and what it may see and take: deadline in milliseconds."""

    capability: str
    input_digest: str
    purpose: str
    at: datetime
    case_id: UUID | None = None
    data_class: str = PERSONAL
    deadline_ms: int = 1_000
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What is written down of an answer: its result, its confidence 0 to 1, its reason codes."""

    result: str
    confidence: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer(Generic[Result]):
    """An answer, who gave it, and the id of its record."""

    value: Result
    model: RegisteredModel
    call_id: UUID | None


@dataclass(slots=True)
class _Log:
    need: Need
    calls: list[NewCall] = field(default_factory=list)

    def add(
        self, model: RegisteredModel, outcome: str, why: str, said: Said | None, us: int
    ) -> None:
        permille = None if said is None else round(min(1.0, max(0.0, said.confidence)) * 1_000)
        self.calls.append(
            NewCall(
                capability=model.capability,
                version=model.version,
                digest=model.digest,
                alias=model.stage,
                hop=len(self.calls),
                outcome=outcome,
                why=why,
                result=said.result if said else "",
                confidence_permille=permille,
                reasons=said.reasons if said else (),
                input_digest=self.need.input_digest,
                data_class=self.need.data_class,
                purpose=self.need.purpose,
                case_id=self.need.case_id,
                cost_micros=0,
                latency_us=us,
                called_at=self.need.at,
            )
        )


def ask(
    *,
    need: Need,
    work: Callable[[Any], Result],
    describe: Callable[[Result], Said],
    is_recorded: bool = True,
) -> Answer[Result]:
    """Return the answer of the first model that may and can give it; every hop is recorded.

    Raises:
        NoModelAnswered: none did; a person has to.
    """
    routes = registry.routes(capability=need.capability, at=need.at)
    log = _Log(need)
    for model in _in_order(routes, need):
        why = _unfit(model, need)
        value = None
        if not why:
            value, why = _within_budget(model, work, describe, log)
        if why:
            log.add(model, "passed_over", why, None, 0)
            continue
        assert value is not None
        answered = len(log.calls) - 1
        _shadow(routes, work, describe, log)
        ids = records.write(log.calls) if is_recorded else ()
        return Answer(value[0], model, ids[answered] if ids else None)
    if is_recorded:
        records.write(log.calls)
    raise NoModelAnswered(need.capability, tuple(call.why for call in log.calls))


def _in_order(routes: dict[str, RegisteredModel], need: Need) -> Iterator[RegisteredModel]:
    """Yield the challenger for its share of cases, then champion and fallback."""
    challenger = routes.get(registry.CHALLENGER)
    if challenger and _share_of(need) < challenger.rollout_percent:
        yield challenger
    for alias in _CHAMPION_ORDER:
        if alias in routes:
            yield routes[alias]


def _share_of(need: Need) -> int:
    """Return a number below 100 that stays the same for a case, or for an input without one."""
    key = str(need.case_id) if need.case_id else need.input_digest
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 100


def _unfit(model: RegisteredModel, need: Need) -> str:
    if need.data_class not in model.data_classes:
        return "data_class_not_cleared"
    if model.latency_p99_us > need.deadline_ms * _MICROSECONDS:
        return "too_slow"
    return "" if model.provider == local.NAME else "unknown_provider"


def _within_budget(
    model: RegisteredModel,
    work: Callable[[Any], Result],
    describe: Callable[[Result], Said],
    log: _Log,
) -> tuple[tuple[Result] | None, str]:
    """Ask a model if the case's budgets allow for it, and count what it took against them."""
    need = log.need
    if need.case_id is None:
        return _try(model, work, describe, log)
    estimate = sentinel.public.Spend(milliseconds=-(-model.latency_p99_us // _MICROSECONDS))
    with transaction.atomic():
        try:
            reserved = sentinel.public.reserve_spend(
                case_id=need.case_id, agents=need.agents, estimate=estimate, at=need.at
            )
        except sentinel.public.BudgetExhausted as refused:
            return None, f"{refused.code}:{refused.name}"
        answer = _try(model, work, describe, log)
        if reserved.id is not None:
            sentinel.public.settle_spend(reserved=reserved, actual=_taken(log))
    return answer


def _taken(log: _Log) -> sentinel.public.Spend:
    """Return what the last call took; what a model does not report costs nothing."""
    last = log.calls[-1] if log.calls else None
    if last is None:
        return sentinel.public.Spend()
    milliseconds = -(-last.latency_us // _MICROSECONDS)
    return sentinel.public.Spend(cost_micros=last.cost_micros, milliseconds=milliseconds)


def _try(
    model: RegisteredModel,
    work: Callable[[Any], Result],
    describe: Callable[[Result], Said],
    log: _Log,
) -> tuple[tuple[Result] | None, str]:
    try:
        loaded = local.load(artefact=model.artefact, digest=model.digest)
    except ArtefactRefused as refused:
        return None, f"{refused.code}:{refused.reason}"
    started = time.perf_counter_ns()
    value = work(loaded)
    microseconds = (time.perf_counter_ns() - started) // 1_000
    log.add(model, "answered", "", describe(value), microseconds)
    return (value,), ""


def _shadow(
    routes: dict[str, RegisteredModel],
    work: Callable[[Any], Result],
    describe: Callable[[Result], Said],
    log: _Log,
) -> None:
    """Ask the shadow model too and record what it says; nobody acts on it."""
    model = routes.get(registry.SHADOW)
    if model is None or _unfit(model, log.need):
        return
    answer, why = _try(model, work, describe, _Log(log.need))
    if answer is None:
        log.add(model, "shadow", why, None, 0)
    else:
        log.add(model, "shadow", "", describe(answer[0]), 0)
