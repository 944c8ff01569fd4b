"""The words every layer shares. Pure: no clock, no chance, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Literal
from uuid import UUID

_EXPONENTS = {
    "BHD": 3,
    "CLP": 0,
    "ISK": 0,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "STEP": 0,
    "TND": 3,
}
_NO_SOURCES: Mapping[str, "Source"] = MappingProxyType({})

PrincipalKind = Literal["customer", "employee", "agent", "system"]


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in the currency's smallest unit."""

    minor_units: int
    currency: str

    @property
    def exponent(self) -> int:
        """How many decimals the currency has."""
        return _EXPONENTS.get(self.currency, 2)

    def split(self, parts: int) -> tuple["Money", ...]:
        """Return amounts that add up to exactly this one; the first take the remainder."""
        share, remainder = divmod(self.minor_units, parts)
        return tuple(Money(share + (index < remainder), self.currency) for index in range(parts))

    def as_decimal(self) -> str:
        """Return the amount as a plain decimal with all its decimals: "1250.00", "-0.05"."""
        sign, digits = "-" * (self.minor_units < 0), str(abs(self.minor_units))
        if not self.exponent:
            return sign + digits
        digits = digits.rjust(self.exponent + 1, "0")
        return f"{sign}{digits[: -self.exponent]}.{digits[-self.exponent :]}"


class Provenance(StrEnum):
    """Where a value came from. Unknown means untrusted."""

    CUSTOMER_TYPED = "customer_typed"
    CUSTOMER_SELECTED = "customer_selected"
    SYSTEM_OF_RECORD = "system_of_record"
    DOCUMENT = "document"
    MODEL = "model"
    EMPLOYEE_CONFIRMED = "employee_confirmed"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one parameter came from, and the row, message or document that shows it."""

    provenance: Provenance
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: `id` is "customer:<uuid>", "employee:<uuid>", "agent:<name>" or "system:<mandate>".

    `person_id` names the human being behind it, so that one person with two accounts stays one.
    `methods` are the ways in which the person proved who they are ("pwd", "otp").
    """

    id: str
    kind: PrincipalKind
    person_id: str
    entity: str
    roles: tuple[str, ...] = ()
    on_behalf_of: "Principal | None" = None
    authenticated_at: datetime | None = None
    methods: tuple[str, ...] = ()

    def chain(self) -> tuple["Principal", ...]:
        """Return this principal and everybody it acts for, nearest first."""
        rest = self.on_behalf_of.chain() if self.on_behalf_of else ()
        return (self, *rest)


@dataclass(frozen=True, slots=True)
class Action:
    """Something somebody proposes to do: a catalogued kind, its parameters and their sources.

    `parameters` are plain JSON values as the catalogue's schema takes them; money is
    {"minor_units": int, "currency": str}. `resource` names what is acted on ("account:<uuid>").
    """

    kind: str
    parameters: Mapping[str, object]
    resource: str
    case_id: UUID
    idempotency_key: str
    sources: Mapping[str, Source] = field(default_factory=lambda: _NO_SOURCES)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known that a rule needs, the row that shows it, and when it was seen."""

    name: str
    value: object
    source: str
    observed_at: datetime


class Verdict(StrEnum):
    """What Sentinel answers."""

    PERMIT = "permit"
    DENY = "deny"
    NEEDS_APPROVAL = "needs_approval"
    NEEDS_STEP_UP = "needs_step_up"


@dataclass(frozen=True, slots=True)
class Reason:
    """The rule that decided, in words for the customer and in words for staff."""

    policy_id: str
    customer: str
    staff: str


@dataclass(frozen=True, slots=True)
class DecisionToken:
    """A signed permit for exactly one action, good once; `id` is the id of its decision."""

    id: UUID
    compact: str = field(repr=False)
    audience: str
    expires_at: datetime


class OutcomeKind(StrEnum):
    """How a permitted action ended."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision; `position` is the feed position a reader must have reached."""

    decision_id: UUID
    kind: OutcomeKind
    code: str
    reference: str
    position: str
    words: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Sentinel's answer to one proposed action; only a permit carries a token."""

    id: UUID
    verdict: Verdict
    action_kind: str
    params_hash: str
    reasons: tuple[Reason, ...]
    token: DecisionToken | None
    approval_request_id: UUID | None
    challenge_id: UUID | None
    remedy: str | None
    bundle: str
    decided_at: datetime
    replayed: Outcome | None = None
