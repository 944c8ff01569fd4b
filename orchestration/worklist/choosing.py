"""Who gets a piece of work: by role, skill, presence and load. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestration.worklist.presence import AT_ALL_HOURS, Hours, Presence

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works the lists; `open_count` is how much lies with them now."""

    principal_id: str
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    capacity: int
    open_count: int = 0
    is_absent: bool = False
    deputy_id: str | None = None
    last_assigned_at: datetime | None = None
    hours: Hours | None = None
    away_until: datetime | None = None
    presence: Presence = AT_ALL_HOURS

    @property
    def is_here(self) -> bool:
        """Tell whether work may be given to them now: neither away nor outside their hours."""
        return not self.is_absent and self.presence.is_on_shift


@dataclass(frozen=True, slots=True)
class Need:
    """What a piece of work asks of who does it; `preferred` stands in for somebody who is away."""

    roles: tuple[str, ...]
    skills: tuple[str, ...]
    excluded: tuple[str, ...]
    preferred: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen, or nobody, and why in words."""

    principal_id: str | None
    why: str


def choose(need: Need, workers: Sequence[Worker]) -> Choice:
    """Choose who has the least on the desk for their capacity, then the longest idle."""
    fit = [each for each in workers if _fits(each, need)]
    here = [each for each in fit if each.is_here]
    free = [each for each in here if each.open_count < each.capacity]
    if not free:
        return Choice(None, _why_nobody(need, fit, here))
    chosen = min(free, key=lambda each: _rank(each, need))
    return Choice(chosen.principal_id, _why(chosen, need, len(free)))


def may_take(worker: Worker, need: Need) -> str:
    """Return why somebody cannot be given this work, in words; empty if they can."""
    if not set(worker.roles) & set(need.roles):
        return "This work belongs to another role."
    missing = sorted(set(need.skills) - set(worker.skills))
    if missing:
        return f"This work asks for: {_listed(missing)}."
    if _is_excluded(worker, need):
        return "They took part in an earlier step, so somebody else must do this one."
    if worker.is_absent:
        return "They are away."
    if not worker.presence.is_on_shift:
        return "They are not working at this hour."
    return ""


def _fits(worker: Worker, need: Need) -> bool:
    return (
        bool(set(worker.roles) & set(need.roles))
        and set(need.skills) <= set(worker.skills)
        and not _is_excluded(worker, need)
    )


def _is_excluded(worker: Worker, need: Need) -> bool:
    """Tell whether somebody took part, under this sign-in or as the person of record behind it."""
    names = {worker.principal_id, worker.principal_id.removeprefix("employee:")}
    return not names.isdisjoint(need.excluded)


def _rank(worker: Worker, need: Need) -> tuple[bool, float, int, datetime, str]:
    return (
        worker.principal_id != need.preferred,
        worker.open_count / worker.capacity,
        -worker.capacity,
        worker.last_assigned_at or _LONG_AGO,
        worker.principal_id,
    )


def _why(chosen: Worker, need: Need, free: int) -> str:
    parts = [f"{chosen.open_count} of {chosen.capacity} on the desk"]
    if need.skills:
        parts.append(f"has {_listed(need.skills)}")
    if chosen.principal_id == need.preferred:
        parts.append("stands in for the colleague who is away")
    elif free > 1:
        parts.append(f"the least busy of {free}")
    return "; ".join(parts)


def _why_nobody(need: Need, fit: Sequence[Worker], here: Sequence[Worker]) -> str:
    if not fit:
        what = f" with {_listed(need.skills)}" if need.skills else ""
        return f"Nobody in {_listed(need.roles)}{what} may do this."
    if not here:
        is_all_away = all(each.is_absent for each in fit)
        return f"All {len(fit)} who could do this are {'away' if is_all_away else 'away or off'}."
    return f"All {len(here)} who could do this have their hands full."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
