"""What every connector is: a manifest of what it can do, and one way to do it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

from grand_central.receipts import Execution, Receipt

Effect = Literal["read", "write", "money"]
NOT_CONFIGURED = "not_configured"
Idempotency = Literal["native", "external_id", "read_then_write", "none"]


class ConnectorRefused(ValueError):
    """A connector or a route may not be registered as it is."""

    code = "connector_refused"
    is_retryable = False

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True)
class Capability:
    """One operation a system offers, and how it keeps a repeated call from acting twice."""

    operation: str
    effect: Effect
    idempotency: Idempotency
    reversed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a connector says of itself; `is_simulator` is shown wherever it is.

    `exercised_against` says on what it was tried: never more than is true.
    """

    name: str
    audience: str
    kind: Literal["core", "payments", "cards", "messages", "screening"]
    system: str
    version: str
    is_simulator: bool
    capabilities: tuple[Capability, ...]
    exercised_against: str

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations it serves."""
        return tuple(capability.operation for capability in self.capabilities)


@dataclass(frozen=True, slots=True)
class Call:
    """One redeemed action on its way to a system; `token` is the id effects are kept under.

    With `seconds_left` whoever wants it waits no longer than that.
    """

    operation: str
    token: UUID
    idempotency_key: str
    parameters: BaseModel
    payload: object = None
    seconds_left: float | None = None


Said = Literal["done", "refused", "not_executed", "in_progress", "not_found", "unknown"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system outside said of one call; `code` is its own word, or ours for what went wrong.

    `not_executed` is said only where it is certain that nothing was done; whatever is not
    understood is `unknown`.
    """

    said: Said
    code: str
    reference: str = ""
    retry_after_seconds: float | None = None


class StatementUnavailable(Exception):
    """A system outside gave no statement of what it did; what it did is not known."""

    code = "statement_unavailable"
    is_retryable = True

    def __init__(self, system: str, reason: str) -> None:
        super().__init__(system, reason)
        self.system, self.reason = system, reason


class OutsideConnector(Protocol):
    """A system that keeps its own books elsewhere: nothing it does commits with ours.

    A call may take `deadline_seconds`, or what is left to it if that is less; its request is good
    for `valid_seconds`. So many `finality_seconds` after that, "not found" means that it was not
    done and never will be.
    """

    manifest: Manifest

    @property
    def deadline_seconds(self) -> float:
        """How long one exchange may take."""

    @property
    def valid_seconds(self) -> int:
        """How long the other system may take a request."""

    @property
    def finality_seconds(self) -> float:
        """How long after a request lost its validity "not found" is final."""

    def send(self, call: Call, valid_until: datetime) -> Answer:
        """Send a redeemed call with its token as idempotency key; a lost answer is `unknown`."""

    def ask(self, token: UUID) -> Answer:
        """Ask what became of a call."""

    def stated(self) -> frozenset[UUID]:
        """Return the token of everything the other system states that it did for us.

        Raises:
            StatementUnavailable: it gave no statement, or none that can be read to its end.
        """


class Connector(Protocol):
    """A system of record behind one manifest."""

    manifest: Manifest

    def execute(self, call: Call) -> Receipt:
        """Carry out a redeemed call, once.

        Raises:
            CoreRefused: the system refused; nothing moved.
            OutcomeUnknown: it did not answer.
        """

    def resolve(self, idempotency_key: str) -> Execution | None:
        """Return what became of a call, or None if the system never saw it."""


def check_manifest(manifest: Manifest) -> Manifest:
    """Return the manifest if it may be registered.

    Raises:
        ConnectorRefused: it moves money without a way to tell a repetition, or names an operation
            twice.
    """
    operations = [capability.operation for capability in manifest.capabilities]
    if len(set(operations)) != len(operations):
        raise ConnectorRefused(manifest.name, "an operation is named twice")
    for capability in manifest.capabilities:
        if capability.effect == "money" and capability.idempotency == "none":
            raise ConnectorRefused(manifest.name, f"{capability.operation} could act twice")
    return manifest
