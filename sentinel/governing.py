"""What may be changed of Sentinel itself: limits, kill switches, authority, what it remembers.

Each change is a catalogued action, decided, approved and recorded like a payment, and redeemed
here. The application cannot write these tables: the owner's functions do, beside a redemption of
the same effect in the same transaction, and look for the second person themselves.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Protocol, Self
from uuid import UUID

from django.db import connection, transaction
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sentinel import authority_changes
from sentinel.authority_changes import AUDIENCE
from sentinel.catalogue import AMOUNT_LIMIT, ActionKind, register_action
from sentinel.consents import changes as consent_changes
from sentinel.counting import STEP, STEP_BUDGETS, UNITS
from sentinel.emergency import changes as emergency_changes
from sentinel.erasure import changes as subject_changes
from sentinel.identifiers import uuid7
from sentinel.limits import EVERYBODY
from sentinel.log.records import append
from sentinel.outcomes import record_outcome
from sentinel.redemption import Redemption, redeem
from sentinel.refusals import SentinelError
from sentinel.vocabulary import Action, DecisionToken, Money, Outcome, OutcomeKind

# Stopping what lets go on would stop the bank for good.
_SCOPE = (
    r"^(all|agents|action:[a-z][a-z_.]*|actor:[a-z]+:[A-Za-z0-9_.-]+|agent:[A-Za-z0-9_.-]+"
    r"|policy:[A-Za-z0-9_.-]+|bundle:[a-z][a-z_]{0,39}@[0-9a-f]{16}|kid:[A-Za-z0-9_-]{43})$"
)
# Whose each limit may be: the bank's for everybody, or one holder's own.
_NAME = r"[A-Za-z0-9_.-]{1,100}"
_PERSON = rf"(customer|employee|agent):{_NAME}"
_HOLDERS = {
    "daily_outgoing": re.compile(_PERSON),
    "monthly_outgoing": re.compile(_PERSON),
    "approval_threshold": re.compile(_PERSON),
    "account_daily": re.compile(rf"account:{_NAME}"),
    "agent_daily": re.compile(rf"agent:{_NAME}"),
    "agent_steps": re.compile(rf"agent:{_NAME}"),
    "case_steps": re.compile(rf"case:{_NAME}"),
    **{name: re.compile(rf"{name.partition('_')[0]}:{_NAME}") for name in UNITS},
    # Nobody has a shorter one of their own.
    "approval_gap": re.compile(r"\*"),
    "purpose_daily": re.compile(rf"purpose:[a-z][a-z_]{{0,39}}(:{_PERSON})?"),
}
_UNITS = {**dict.fromkeys(STEP_BUDGETS, STEP), **UNITS, "approval_gap": "SEC"}
_HOLDER = r"^[*A-Za-z0-9_.:-]{1,240}$"


class GovernanceRefused(SentinelError):
    """The database found no second person, or no redemption of exactly this; nothing changed."""

    code = "governance_refused"

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Cap(_Parameters):
    """The most that a limit allows; the unit of a budget is "STEP", "TOKEN", "MICRO" or "MSEC"."""

    minor_units: Annotated[int, Field(ge=0, lt=AMOUNT_LIMIT)]
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3}|STEP|TOKEN|MICRO|MSEC)$")]


class SetLimit(_Parameters):
    """Set a limit for one holder or for everybody ("*"), from now on."""

    name: Literal[
        "daily_outgoing",
        "monthly_outgoing",
        "account_daily",
        "agent_daily",
        "purpose_daily",
        "approval_threshold",
        "agent_steps",
        "case_steps",
        "agent_tokens",
        "agent_cost",
        "agent_time",
        "case_tokens",
        "case_cost",
        "case_time",
        "approval_gap",
    ]
    holder: Annotated[str, Field(pattern=_HOLDER)]
    cap: Cap

    @model_validator(mode="after")
    def _holder_fits(self) -> Self:
        if self.holder != EVERYBODY and not _HOLDERS[self.name].fullmatch(self.holder):
            raise ValueError("no such holder of this limit")
        unit = _UNITS.get(self.name, "")
        if unit != (self.cap.currency if unit or self.cap.currency in _UNITS.values() else ""):
            raise ValueError("each budget is counted in its own unit, and money in a currency")
        return self


class TurnSwitch(_Parameters):
    """Stop a scope, or let it go on; tokens already out for it are revoked either way."""

    scope: Annotated[str, Field(pattern=_SCOPE, max_length=160)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class ThrowSwitch(TurnSwitch):
    """Stop a scope at once."""


class ReleaseSwitch(TurnSwitch):
    """Let a stopped scope go on."""


def _effect(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _limit_effect(parameters: BaseModel) -> bytes:
    assert isinstance(parameters, SetLimit)
    cap = parameters.cap
    return _effect(
        f"limit/v1|{parameters.name}|{parameters.holder}|{cap.currency}|{cap.minor_units}"
    )


def _switch_effect(parameters: BaseModel) -> bytes:
    assert isinstance(parameters, TurnSwitch)
    word = "throw" if isinstance(parameters, ThrowSwitch) else "release"
    return _effect(f"kill_switch/v1|{word}|{parameters.scope}|{parameters.reason}")


ACTIONS = (
    ActionKind(
        kind="limits.set",
        parameters=SetLimit,
        risk="high",
        audience=AUDIENCE,
        wording="set the limit {name} of {holder} to {cap}",
        human_only=True,
        effect_digest=_limit_effect,
    ),
    ActionKind(
        # Not of high risk: stopping must be possible while the log is behind.
        kind="kill_switch.throw",
        parameters=ThrowSwitch,
        risk="low",
        audience=AUDIENCE,
        wording="stop {scope}",
        human_only=True,
        effect_digest=_switch_effect,
    ),
    ActionKind(
        kind="kill_switch.release",
        parameters=ReleaseSwitch,
        risk="medium",
        audience=AUDIENCE,
        wording="let {scope} go on",
        human_only=True,
        effect_digest=_switch_effect,
    ),
    *authority_changes.ACTIONS,
    *consent_changes.ACTIONS,
    *emergency_changes.ACTIONS,
    *subject_changes.ACTIONS,
)


def register_own_actions() -> None:
    """Put Sentinel's own actions into the catalogue."""
    for entry in ACTIONS:
        register_action(entry=entry)


def is_own(*, kind: str) -> bool:
    """Return whether an action changes Sentinel itself, and is carried out by `govern`."""
    return kind in {entry.kind for entry in ACTIONS}


def govern(*, action: Action, token: DecisionToken, new_id: Callable[[], UUID] = uuid7) -> Outcome:
    """Carry out a permitted change of Sentinel itself, once, and record its outcome.

    Raises:
        TokenRefused: the token does not permit this action.
        GovernanceRefused: nobody else approved it; nothing changed and the token is not spent.
    """
    with transaction.atomic():
        redemption = redeem(token=token, action=action, audience=AUDIENCE)
        parameters = redemption.parameters
        if isinstance(parameters, authority_changes.AuthorityChange):
            result = authority_changes.write_change(redemption.decision_id, parameters)
            words = authority_changes.authority_words
            return _changed(redemption, "authority", result, words, new_id)
        if isinstance(parameters, consent_changes.ConsentChange):
            result = consent_changes.write_consent(redemption.decision_id, parameters)
            return _changed(redemption, "consent", result, consent_changes.consent_words, new_id)
        if isinstance(parameters, emergency_changes.EmergencyChange):
            result = emergency_changes.write_emergency(redemption.decision_id, parameters)
            words = emergency_changes.emergency_words
            return _changed(redemption, "emergency", result, words, new_id)
        if isinstance(parameters, subject_changes.SubjectChange):
            return _change_subject(redemption, new_id)
        if isinstance(parameters, SetLimit):
            body = _write_limit(redemption, parameters)
        else:
            assert isinstance(parameters, TurnSwitch)
            body = _write_switch(redemption, parameters)
        with connection.cursor() as cursor:
            kind = "limit" if isinstance(parameters, SetLimit) else "kill_switch"
            append(cursor, kind=kind, body=body, decision_id=redemption.decision_id, new_id=new_id)
        return record_outcome(
            decision_id=redemption.decision_id,
            kind=OutcomeKind.DONE,
            code="in_force",
            reference=f"{kind}:{redemption.decision_id}",
            words="It is in force.",
        )


class _Words(Protocol):
    def __call__(self, *, code: str) -> str:
        """Return in words why something was not written."""


def _changed(
    redemption: Redemption, area: str, result: str, words: _Words, new_id: Callable[[], UUID]
) -> Outcome:
    """Record what became of a change that the owner's functions looked at once more."""
    if result == "refused":
        raise GovernanceRefused(area)
    parameters, decision_id = redemption.parameters, redemption.decision_id
    is_written = result == authority_changes.WRITTEN
    if is_written:
        body = parameters.model_dump(mode="json")
        with connection.cursor() as cursor:
            append(cursor, kind=area, body=body, decision_id=decision_id, new_id=new_id)
    return record_outcome(
        decision_id=decision_id,
        kind=OutcomeKind.DONE if is_written else OutcomeKind.FAILED,
        code="in_force" if is_written else result.partition(" ")[0],
        reference=f"{area}:{decision_id}",
        words="It is in force." if is_written else words(code=result),
    )


def _change_subject(redemption: Redemption, new_id: Callable[[], UUID]) -> Outcome:
    parameters, decision_id = redemption.parameters, redemption.decision_id
    result = subject_changes.write_subject_change(decision_id, parameters)
    if result == "refused":
        raise GovernanceRefused("subject")
    body = subject_changes.log_body(parameters, decision_id)
    if result == subject_changes.WRITTEN and body is not None:
        with connection.cursor() as cursor:
            append(cursor, kind="legal_hold", body=body, decision_id=decision_id, new_id=new_id)
    is_done = result in {subject_changes.WRITTEN, subject_changes.DONE_BEFORE}
    return record_outcome(
        decision_id=decision_id,
        kind=OutcomeKind.DONE if is_done else OutcomeKind.FAILED,
        code="in_force" if result == subject_changes.WRITTEN else result,
        reference=f"subject:{decision_id}",
        words=subject_changes.WORDS[result],
    )


def _write_limit(redemption: Redemption, parameters: SetLimit) -> Mapping[str, object]:
    cap = Money(parameters.cap.minor_units, parameters.cap.currency)
    _call(
        "SELECT sentinel_write_limit(%s, %s, %s, %s, %s)",
        [
            redemption.decision_id,
            parameters.name,
            parameters.holder,
            cap.currency,
            cap.minor_units,
        ],
        "limits.set",
    )
    return {
        "cap": cap.as_decimal(),
        "currency": cap.currency,
        "holder": parameters.holder,
        "name": parameters.name,
    }


def _write_switch(redemption: Redemption, parameters: TurnSwitch) -> Mapping[str, object]:
    is_stopped = isinstance(parameters, ThrowSwitch)
    word = "throw" if is_stopped else "release"
    _call(
        "SELECT sentinel_write_kill_switch(%s, %s, %s, %s)",
        [redemption.decision_id, word, parameters.scope, parameters.reason],
        f"kill_switch.{word}",
    )
    return {"is_stopped": is_stopped, "reason": parameters.reason, "scope": parameters.scope}


def _call(statement: str, values: list[UUID | str | int], kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        (is_written,) = cursor.fetchone()
    if not is_written:
        raise GovernanceRefused(kind)
