"""The catalogue: every kind of action there is. What is not in it cannot be done."""

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ValidationError

from sentinel.refusals import SentinelError
from sentinel.signing.canonical import NotCanonical, canonical_json, domain_prefix
from sentinel.vocabulary import Action, Money

SALT_BYTES = 16
FIELDS_NAMED_MAX = 20
AMOUNT_LIMIT = 2**53
_PARAMS = domain_prefix("params")
_LINKED = domain_prefix("linked")
_RESOURCE = re.compile(r"[a-z][a-z_]{0,39}:[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_entries: dict[str, "ActionKind"] = {}


class ActionKindConflict(SentinelError):
    """Two parts of the bank declared one kind of action differently."""

    code = "action_kind_conflict"

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


class UnknownAction(SentinelError):
    """The kind of action is not in the catalogue."""

    code = "unknown_action"

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class ParametersRefused(SentinelError):
    """The parameters do not fit the schema of the action; `fields` names which."""

    code = "bad_parameters"

    def __init__(self, kind: str, fields: tuple[str, ...]) -> None:
        super().__init__(kind, fields)
        self.kind, self.fields = kind, fields


@dataclass(frozen=True, slots=True)
class ActionKind:
    """What one kind of action takes, who does it, and how far it may be trusted to a machine.

    The first of `money_fields` is the amount that limits count. `party_fields` name whose affairs
    are touched: a customer's own, or nothing happens. `effect_digest` returns the bytes that the
    database compares with what a posting function is about to do. `is_redeemed_outside` says that
    a program outside spends the token over HTTP, before it acts. `reads` are the kinds of data it
    shows to whoever does it ("customer_list"); `sends_outside` says that something leaves the bank.
    """

    kind: str
    parameters: type[BaseModel]
    risk: Literal["low", "medium", "high"]
    audience: str
    wording: str
    money_fields: tuple[str, ...] = ()
    payee_fields: tuple[str, ...] = ()
    party_fields: tuple[str, ...] = ()
    human_only: bool = False
    # How whoever approves is related has to be attested: names of `approvers.RELATIONS`.
    relations_needed: tuple[str, ...] = ()
    effect_digest: Callable[[BaseModel], bytes] | None = None
    is_redeemed_outside: bool = False
    reads: tuple[str, ...] = ()
    sends_outside: bool = False


@dataclass(frozen=True, slots=True)
class TypedParameters:
    """Parameters that fit their schema: the object connectors use, and the bytes that are hashed.

    `plain` holds them as JSON values, the way they are kept encrypted for those who may read them.
    """

    model: BaseModel
    plain: Mapping[str, object]
    canonical: bytes
    amount: Money | None
    linked: bytes = b""

    def hash_with(self, salt: bytes) -> bytes:
        """Return the salted hash that binds tokens, approvals and challenges, 32 bytes."""
        return hashlib.sha256(_PARAMS + salt + self.canonical).digest()

    def linked_hash(self, salt: bytes) -> bytes:
        """Return the salted hash of amount and payee alone, or nothing if there is no payee.

        A change of either invalidates what the person confirmed: Regulation (EU) 2018/389, Art. 5.
        """
        return hashlib.sha256(_LINKED + salt + self.linked).digest() if self.linked else b""


def register_action(*, entry: ActionKind) -> None:
    """Add a kind of action to the catalogue; saying the same twice is harmless.

    Raises:
        ActionKindConflict: the kind is there with another meaning, or names fields it lacks.
    """
    named = {*entry.money_fields, *entry.payee_fields, *entry.party_fields}
    missing = named - set(entry.parameters.model_fields)
    if missing:
        raise ActionKindConflict(entry.kind, f"no such field: {', '.join(sorted(missing))}")
    known = _entries.setdefault(entry.kind, entry)
    if known != entry and replace(known, effect_digest=None) != replace(entry, effect_digest=None):
        raise ActionKindConflict(entry.kind, "declared twice")
    _entries[entry.kind] = entry


def action_kinds() -> tuple[ActionKind, ...]:
    """Return the whole catalogue, by name."""
    return tuple(_entries[kind] for kind in sorted(_entries))


def outside_audiences() -> frozenset[str]:
    """Return the connectors that are programs outside, which spend their tokens over HTTP."""
    return frozenset(each.audience for each in _entries.values() if each.is_redeemed_outside)


def action_kind(kind: str) -> ActionKind:
    """Return one entry of the catalogue.

    Raises:
        UnknownAction: there is none of that name.
    """
    entry = _entries.get(kind)
    if entry is None:
        raise UnknownAction(kind)
    return entry


def typed_parameters(entry: ActionKind, action: Action) -> TypedParameters:
    """Return the parameters of an action in their types and in their one canonical form.

    Raises:
        ParametersRefused: they do not fit the schema, or have no canonical form.
    """
    try:
        text = json.dumps(dict(action.parameters))
    except (TypeError, ValueError) as error:
        raise ParametersRefused(entry.kind, ()) from error
    return _typed(entry, text)


def is_resource(text: str) -> bool:
    """Return whether a text names a resource: its kind, a colon, and a plain identifier."""
    return _RESOURCE.fullmatch(text) is not None


def shown_kind(kind: str) -> str:
    """Return a kind as it may be recorded though nobody declared it: in plain letters, or "?"."""
    return kind if _KIND.fullmatch(kind) else "?"


def typed_again(entry: ActionKind, plain: Mapping[str, object]) -> TypedParameters:
    """Return parameters that were accepted once in their types, to judge them again.

    They are not hashed again: a decision keeps the hash it was taken with.

    Raises:
        ParametersRefused: they do not fit the schema of this release.
    """
    try:
        model = entry.parameters.model_validate_json(json.dumps(dict(plain)))
    except (TypeError, ValueError) as error:
        raise ParametersRefused(entry.kind, ()) from error
    return TypedParameters(model, MappingProxyType(dict(plain)), b"", _amount(entry, plain))


@lru_cache(maxsize=256)
def _typed(entry: ActionKind, text: str) -> TypedParameters:
    """Return the typed form of a JSON text: a permit is decided and redeemed moments apart."""
    try:
        model = entry.parameters.model_validate_json(text)
    except ValidationError as error:
        raise ParametersRefused(entry.kind, _fields_of(error)) from error
    dumped = model.model_dump(mode="json")
    # Text without an escape is ASCII throughout, and that is in normal form.
    plain = dumped if "\\u" not in text else normal_form(dumped)
    assert isinstance(plain, dict)
    hashed = {**plain, **{field: _decimal(entry, plain, field) for field in entry.money_fields}}
    try:
        canonical = canonical_json({"kind": entry.kind, "parameters": hashed})
    except NotCanonical as error:
        raise ParametersRefused(entry.kind, ("$",)) from error
    linked = _linked(entry, hashed)
    return TypedParameters(model, MappingProxyType(plain), canonical, _amount(entry, plain), linked)


def _fields_of(error: ValidationError) -> tuple[str, ...]:
    """Return which parameters do not fit. What nobody declared may say anything: it has no name."""
    found = set()
    for each in error.errors(include_input=False, include_url=False):
        place = [str(part) for part in each["loc"]]
        if each["type"] == "extra_forbidden":
            place[-1] = "?"
        found.add(".".join(place))
    return tuple(sorted(found))[:FIELDS_NAMED_MAX]


def salt_for(subject_key: bytes, kind: str) -> bytes:
    """Return the salt of a subject for one kind of action, 16 bytes.

    It follows from the subject's key, so that equal parameters have equal hashes for as long as
    the subject is remembered, and nobody can guess them once the key is destroyed.
    """
    return hmac.digest(subject_key, b"params-salt/v1\0" + kind.encode(), "sha256")[:SALT_BYTES]


def normal_form(value: object) -> object:
    """Return JSON values with all text in Unicode normal form C."""
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {key: normal_form(item) if item else item for key, item in value.items()}
    if isinstance(value, list):
        return [normal_form(item) if item else item for item in value]
    return value


def _linked(entry: ActionKind, hashed: Mapping[str, object]) -> bytes:
    if not entry.money_fields or not entry.payee_fields:
        return b""
    return canonical_json(
        {name: hashed[name] for name in (*entry.money_fields, *entry.payee_fields)}
    )


def _money(entry: ActionKind, plain: Mapping[str, object], field: str) -> Money | None:
    value = plain[field]
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"minor_units", "currency"}:
        raise ParametersRefused(entry.kind, (field,))
    minor_units: object = value["minor_units"]
    if not isinstance(minor_units, int) or not abs(minor_units) < AMOUNT_LIMIT:
        raise ParametersRefused(entry.kind, (field,))
    return Money(minor_units, str(value["currency"]))


def _decimal(entry: ActionKind, plain: Mapping[str, object], field: str) -> object:
    money = _money(entry, plain, field)
    return money and {"amount": money.as_decimal(), "currency": money.currency}


def _amount(entry: ActionKind, plain: Mapping[str, object]) -> Money | None:
    return _money(entry, plain, entry.money_fields[0]) if entry.money_fields else None
