"""The way back after a restore: what still stands between a shut gate and an open one.

The gate of a legal entity opens when its epoch has risen, its log says from where it goes on, what
was under way outside was asked about, and every effect was held beside the cores' statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg import sql

import grand_central.public
from deploy.reconciliation import compared_since_restore
from deploy.settings.database import OWNER_ROLE, conninfo
from orchestration import public as orchestration
from sentinel import public as sentinel

_ASKED_ABOUT = frozenset({"sending", "unknown"})
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 10, 500


class GateRefused(Exception):
    """The gate does not move: something is missing, or does not fit."""

    code = "gate_refused"
    is_retryable = False

    def __init__(self, entity: str, reason: str) -> None:
        super().__init__(entity, reason)
        self.entity, self.reason = entity, reason


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be so before the gate is opened, and how it stands in words."""

    name: str
    words: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class GateState:
    """The gate of one legal entity; without a `gate` nothing was ever restored."""

    entity: str
    gate: sentinel.Gate | None
    conditions: tuple[Condition, ...]

    @property
    def is_open(self) -> bool:
        """Whether decisions are taken and permits are spent."""
        return self.gate is None or self.gate.is_open

    @property
    def missing(self) -> tuple[Condition, ...]:
        """What is not so yet."""
        return tuple(each for each in self.conditions if not each.is_met)


def gate_state() -> GateState:
    """Return how the gate of the current legal entity stands and what is missing."""
    entity, found = sentinel.current_entity(), sentinel.gate()
    if found is None or found.is_open:
        return GateState(entity, found, ())
    return GateState(entity, found, (_epoch(found), _log(found), _calls(), _compared(), _cases()))


def continue_log(*, witnessed: Sequence[Path], reason: str) -> sentinel.Witnessed | None:
    """Hold the log beside what was witnessed elsewhere and record from where it goes on.

    What the local witness remembers of records that are lost is put aside, not deleted.

    Raises:
        GateRefused: the log is another one than was witnessed, a witness outside remembers more
            than was brought, or there is a loss and nobody says why it is accepted.
    """
    entity, found = sentinel.current_entity(), sentinel.gate()
    if found is None or found.is_open:
        raise GateRefused(entity, "the gate is open")
    if found.is_continued:
        raise GateRefused(entity, "the log was continued already")
    known = _known(entity, found, witnessed)
    is_lost = known is not None and known.lost is not None
    _require_witnesses_outside(entity, is_lost=is_lost, reason=reason)
    if (known is None or is_lost) and not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        raise GateRefused(entity, _why_a_reason(found, known))
    _as_owner(
        entity,
        "SELECT sentinel_continue_log(%s, %s, %s, %s)",
        [known.size if known else None, known.root.hex() if known else "", is_lost, reason],
    )
    if is_lost:
        sentinel.set_memory_aside(backup=found.backup)
    return known


def open_gate() -> GateState:
    """Open the gate of the current legal entity, if nothing is missing; the log says so.

    Raises:
        GateRefused: it is open, or something is missing.
    """
    state = gate_state()
    if state.is_open:
        raise GateRefused(state.entity, "the gate is open")
    if state.missing:
        names = ", ".join(each.name for each in state.missing)
        raise GateRefused(state.entity, f"missing: {names}")
    compared = compared_since_restore()
    assert compared is not None, "it is one of the conditions"
    _as_owner(state.entity, "SELECT sentinel_open_gate(%s)", [compared.id])
    return gate_state()


def _epoch(found: sentinel.Gate) -> Condition:
    words = f"permits below epoch {found.epoch} are refused; it stands at {found.epoch_now}"
    return Condition("epoch", words, is_met=found.is_epoch_risen)


def _log(found: sentinel.Gate) -> Condition:
    if not found.is_continued:
        words = f"put back with {found.size} records; nobody has said from where it goes on"
        return Condition("log", f"{words}: manage.py gate continue", is_met=False)
    seen = found.witnessed_size
    if seen is None:
        return Condition("log", "continued without a witness", is_met=True)
    lost = max(0, seen - found.size)
    words = f"continued beside a witness that saw {seen} records; {found.size} were put back"
    loss = f", at most {lost} are lost" if lost else ""
    return Condition("log", words + loss, is_met=True)


def _calls() -> Condition:
    calls = grand_central.public.outstanding_calls()
    unanswered = sum(each.state in _ASKED_ABOUT for each in calls)
    held = len(orchestration.held_effects())
    words = f"{unanswered} calls to systems outside still to be asked about"
    return Condition(
        "calls", f"{words}; {held} effects are held for a person", is_met=not unanswered
    )


def _compared() -> Condition:
    latest = compared_since_restore()
    if latest is None:
        words = "not held beside the statements of every system since the restore"
        return Condition("statements", f"{words}: manage.py reconcile", is_met=False)
    words = f"compared at {latest.compared_at:%F %T}, {latest.differences} differences"
    return Condition("statements", words, is_met=True)


def _cases() -> Condition:
    loose = len(grand_central.public.differences_without_case())
    words = f"{loose} differences have no case" if loose else "every difference has a case"
    return Condition("cases", words, is_met=not loose)


def _known(entity: str, found: sentinel.Gate, places: Sequence[Path]) -> sentinel.Witnessed | None:
    while sentinel.run_sequencer_once():
        pass
    try:
        notes = sentinel.witnessed_notes(places=tuple(places))
        return sentinel.compare_witnessed(notes=notes, size=found.size)
    except sentinel.CheckpointRefused as error:
        raise GateRefused(entity, f"what was witnessed: {error.reason}") from error
    except OSError as error:
        raise GateRefused(entity, f"what was witnessed cannot be read: {error}") from error
    except sentinel.AnotherHistory as error:
        reason = (
            f"the log holds other records than were witnessed at {error.size}; it was altered and"
            " cannot be continued: restore another backup"
        )
        raise GateRefused(entity, reason) from error


def _require_witnesses_outside(entity: str, *, is_lost: bool, reason: str) -> None:
    """A witness outside that remembers more must be heard before the log goes on without that."""
    try:
        sentinel.ask_witnesses_once()
    except sentinel.WitnessRefused as error:
        if not is_lost:
            words = f"{error.reason}: bring its newest checkpoint with --witnessed"
            raise GateRefused(entity, words) from error
    except sentinel.WitnessUnreachable as error:
        if not reason:
            words = f"the witness {error.witness} does not answer; say why to go on without it"
            raise GateRefused(entity, words) from error


def _why_a_reason(found: sentinel.Gate, known: sentinel.Witnessed | None) -> str:
    length = f"in {REASON_LENGTH_MIN} to {REASON_LENGTH_MAX} characters with --reason"
    if known is None or known.lost is None:
        return (
            "no witness remembers this log: bring what one keeps with --witnessed, or say"
            f" {length} why there is none"
        )
    first, last = known.lost
    return (
        f"records {first} to {last} were witnessed and are not in what was put back (it has"
        f" {found.size}): restore a later point, or say {length} why they are given up"
    )


def _as_owner(entity: str, question: str, values: list[object]) -> UUID:
    """Do what only the tables' owner can, in one transaction."""
    with psycopg.connect(conninfo(settings.DATABASE_ADMINISTRATOR)) as session:
        session.execute("SELECT set_config('frontline.entity', %s, true)", [entity])
        session.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER_ROLE)))
        row = session.execute(question, values).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found
