"""The bundles of policies that come with this release, beside those in force."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from sentinel import public as sentinel
from sentinel.vocabulary import Principal

MAKERS = frozenset({"operations", "process_owner", "engineer", "compliance_officer"})
CHECKERS = frozenset({"compliance_officer"})
BANK = "bank"


class NotTheirTask(Exception):
    """This person's role neither proposes nor publishes rules."""

    code = "not_their_task"
    is_retryable = False

    def __init__(self, principal_id: str, roles: frozenset[str]) -> None:
        super().__init__(principal_id, roles)
        self.principal_id, self.roles = principal_id, roles

    def __str__(self) -> str:
        return f"This takes somebody of the role {' or '.join(sorted(self.roles))}."


@dataclass(frozen=True, slots=True)
class Difference:
    """One area whose bundle in this release is not the one in force; `in_force` may be empty."""

    area: str
    shipped: sentinel.Bundle
    in_force: str

    @property
    def words(self) -> str:
        """What is the case, for people."""
        if not self.in_force:
            return f"{self.area}: new in this release ({self.shipped.digest[:12]})"
        return f"{self.area}: {self.in_force[:12]} is in force, {self.shipped.digest[:12]} is here"


def shipped_bundles() -> tuple[sentinel.Bundle, ...]:
    """Return the bundles of this release, the bank's first: the others speak in its words."""
    journeys = Path(settings.BASE_DIR) / "apps" / "journeys"
    areas = sorted(path.parent for path in journeys.glob("*/policy.cedar"))
    return (
        sentinel.bank_bundle(),
        *(sentinel.journey_bundle(folder=folder) for folder in areas),
    )


def differences(*, at: datetime | None = None) -> tuple[Difference, ...]:
    """Return what this release would change in the rules of the current legal entity."""
    in_force = {each.name: each.digest for each in sentinel.bundles(at=at)}
    return tuple(
        Difference(bundle.content.area, bundle, in_force.get(bundle.content.area, ""))
        for bundle in shipped_bundles()
        if in_force.get(bundle.content.area) != bundle.digest
    )


def propose(*, difference: Difference, maker: Principal) -> str:
    """Propose the bundle of this release for somebody else to publish; return its digest.

    Raises:
        NotTheirTask: the maker's role does not propose rules.
        sentinel.public.BundleRefused: it cannot be in force together with the others.
    """
    _require(maker, MAKERS)
    return sentinel.propose_bundle(bundle=difference.shipped, maker=maker)


def publish(*, difference: Difference, checker: Principal, at: datetime) -> None:
    """Put the proposed bundle of this release in force, as a second person.

    Raises:
        NotTheirTask: the checker's role does not publish rules.
        sentinel.public.ProposalUnknown: nobody has proposed it yet.
        sentinel.public.SamePerson: the checker proposed it.
        sentinel.public.BundleRefused: it cannot be in force together with the others.
    """
    _require(checker, CHECKERS)
    sentinel.publish_bundle(digest=difference.shipped.digest, checker=checker, effective_from=at)


def require_maker(person: Principal) -> None:
    """Accept only those who propose rules.

    Raises:
        NotTheirTask: this person's role does not.
    """
    _require(person, MAKERS)


def require_checker(person: Principal) -> None:
    """Accept only those who publish rules.

    Raises:
        NotTheirTask: this person's role does not.
    """
    _require(person, CHECKERS)


def _require(person: Principal, roles: frozenset[str]) -> None:
    if person.kind != "employee" or not roles.intersection(person.roles):
        raise NotTheirTask(person.id, roles)
