"""A person's own passkeys: looked at, added and removed by them, and used for a card or a task."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

import orchestration.public
import sentinel.public
from interaction.conversation import current_conversation
from interaction.session import SlipUnknown
from orchestration.public import approval_passkey_request, is_passkey_needed
from sentinel.public import Passkey, PasskeyAnswer, PasskeyRefused, PasskeyUnknown
from sentinel.vocabulary import Principal

__all__ = [
    "OwnPasskeys",
    "PasskeyAnswer",
    "PasskeyRefused",
    "PasskeyUnknown",
    "ProofRefused",
    "approval_passkey_request",
    "begin_passkey",
    "card_passkey_request",
    "drop_passkey",
    "is_passkey_needed",
    "keep_passkey",
    "origin_of",
    "own_passkeys",
    "passkey_in",
]
RECENT = timedelta(minutes=10)
CEREMONY_SECONDS = 300
ANSWER_LENGTH_MAX = 20_000
_CEREMONY = "passkey_ceremony"


def origin_of(*, request: HttpRequest) -> str:
    """Return the site of a request, as browsers name it (RFC 6454)."""
    return f"{request.scheme}://{request.get_host()}"


def passkey_in(*, request: HttpRequest) -> PasskeyAnswer:
    """Return what a form says the browser's passkey answered; what is no object answers nothing."""
    text = request.POST.get("passkey", "")
    try:
        said = json.loads(text) if len(text) <= ANSWER_LENGTH_MAX else {}
    except (ValueError, RecursionError):
        said = {}
    return PasskeyAnswer(said if isinstance(said, dict) else {}, origin_of(request=request))


class ProofRefused(ValueError):
    """Who changes their passkeys proves who they are first; this did not. Nothing has changed."""

    code = "proof_refused"
    is_retryable = True

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class OwnPasskeys:
    """What a person has, and how they prove who they are before they change it."""

    passkeys: tuple[Passkey, ...]
    is_code_asked: bool
    is_sign_in_recent: bool


def own_passkeys(*, principal: Principal, at: datetime) -> OwnPasskeys:
    """Return a person's passkeys and what changing them takes."""
    return OwnPasskeys(
        passkeys=sentinel.public.passkeys_of(principal_id=principal.id),
        is_code_asked=sentinel.public.has_factor(principal_id=principal.id),
        is_sign_in_recent=_is_recent(principal, at),
    )


def begin_passkey(
    *, principal: Principal, name: str, session: SessionBase, origin: str, at: datetime
) -> Mapping[str, object]:
    """Return what the browser needs to make a passkey; its challenge stays in the session.

    Raises:
        sentinel.public.PasskeyRefused: this address can have no passkeys.
    """
    ceremony = sentinel.public.begin_passkey(principal=principal, name=name, origin=origin)
    session[_CEREMONY] = [ceremony.challenge.hex(), at.timestamp()]
    return ceremony.options


def keep_passkey(
    *,
    principal: Principal,
    session: SessionBase,
    answer: PasskeyAnswer,
    label: str,
    code: str,
    at: datetime,
) -> Passkey:
    """Keep the passkey a browser made, once its owner has proved who they are.

    Raises:
        ProofRefused: the code is not theirs, or they signed in too long ago.
        sentinel.public.PasskeyRefused: the browser's answer is not what was asked for.
    """
    challenge, begun = session.pop(_CEREMONY, ("", 0.0))
    if at.timestamp() - begun > CEREMONY_SECONDS:
        raise PasskeyRefused("too_late")
    _require_proof(principal, code, at)
    return sentinel.public.enrol_passkey(
        principal=principal,
        challenge=bytes.fromhex(challenge),
        response=answer.response,
        label=label,
        origin=answer.origin,
        at=at,
    )


def drop_passkey(*, principal: Principal, passkey_id: str, code: str, at: datetime) -> None:
    """Remove a passkey, once its owner has proved who they are.

    Raises:
        ProofRefused: the code is not theirs, or they signed in too long ago.
        sentinel.public.PasskeyUnknown: it is none of theirs.
    """
    _require_proof(principal, code, at)
    sentinel.public.remove_passkey(principal=principal, passkey_id=passkey_id, at=at)


def card_passkey_request(
    *, principal: Principal, card_id: UUID, origin: str, at: datetime
) -> Mapping[str, object]:
    """Return what the browser needs to have a passkey confirm the payment on a card.

    Raises:
        SlipUnknown: the card is not one of theirs.
        CardAnswerRefused: the card asks for no second factor, or not any more.
        sentinel.public.PasskeyUnknown: the person has no passkey for this address.
        sentinel.public.PasskeyRefused: this address can have no passkeys.
    """
    try:
        return orchestration.public.passkey_request(
            conversation_id=current_conversation(principal=principal, at=at),
            principal=principal,
            card_id=card_id,
            origin=origin,
            at=at,
        )
    except orchestration.public.CardUnknown as error:
        raise SlipUnknown(card_id) from error


def _require_proof(principal: Principal, code: str, at: datetime) -> None:
    if not sentinel.public.has_factor(principal_id=principal.id):
        if not _is_recent(principal, at):
            raise ProofRefused("Sign in again first: passkeys change right after signing in only.")
        return
    if not sentinel.public.accept_code(principal_id=principal.id, code=code, at=at):
        raise ProofRefused("That code is not right. Nothing has changed.")


def _is_recent(principal: Principal, at: datetime) -> bool:
    since = principal.authenticated_at
    return since is not None and at - since <= RECENT
