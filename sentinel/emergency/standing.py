"""Whether an emergency stands for whoever acts, as a decision sees it. Pure.

It shows as `context.emergency`: only a policy that looks at it lets it lift anything. What is kept
for people never sees one, and no machine acts under one, whatever any bundle says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sentinel.catalogue import ActionKind
from sentinel.principals import PEOPLE
from sentinel.vocabulary import Principal

MINUTES_MAX = 60


@dataclass(frozen=True, slots=True)
class EmergencyOnFile:
    """An emergency that stands now, for this person and this kind of action."""

    id: UUID
    until: datetime


def breaker_of(principal: Principal, entry: ActionKind) -> Principal | None:
    """Return whose emergency may play a part: an employee's who acts without any machine."""
    is_by_people = all(link.kind in PEOPLE for link in principal.chain())
    if principal.kind != "employee" or not is_by_people or entry.human_only:
        return None
    return principal


def emergency_on_file(found: str | None) -> EmergencyOnFile | None:
    """Return an emergency as `sentinel_emergency_for` tells it."""
    if not found:
        return None
    identifier, _, until = found.partition(" ")
    return EmergencyOnFile(UUID(identifier), datetime.fromisoformat(until))


def seconds_left(standing: EmergencyOnFile | None, now: datetime, most: int) -> int:
    """Return how long a permit may live: never beyond the emergency it is given under."""
    if standing is None:
        return most
    left: timedelta = standing.until - now
    return max(1, min(most, int(left.total_seconds())))


def emergency_step(standing: EmergencyOnFile | None) -> Sequence[str]:
    """Return the parts of the step that marks a decision taken under an emergency, or nothing."""
    return ("emergency", "in_force", str(standing.id)) if standing else ()
