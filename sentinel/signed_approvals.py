"""Approvals a person signs with a passkey, over exactly the parameters they saw.

The signature goes into the log with the approval, so that anybody can check later, without the
bank, that this device agreed to this.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings

from sentinel.catalogue import UnknownAction, action_kind
from sentinel.passkeys import (
    PasskeyAnswer,
    Signature,
    passkeys_of,
    request_options,
    require_signature,
    signing_challenge,
)
from sentinel.vocabulary import Principal

APPROVAL = "approval"
APPROVE = "approve"


def approval_options(
    *, principal_id: str, request_id: UUID, params_hash: str, origin: str
) -> Mapping[str, object]:
    """Return what the browser needs to have an approver's passkey sign one approval.

    Raises:
        PasskeyUnknown: the approver has no passkey for this site.
        PasskeyRefused: the origin can have no passkeys.
    """
    return request_options(principal_id, _approved(request_id, params_hash), origin)


def require_approval_signature(
    approver: Principal,
    request_id: UUID,
    params_hash: str,
    answer: PasskeyAnswer,
    at: datetime,
) -> Signature:
    """Return the approver's signature over exactly these parameters, for the log to keep.

    Raises:
        PasskeyUnknown: the approver has no passkey.
        PasskeyRefused: the signature is not theirs or not over this.
    """
    challenge = _approved(request_id, params_hash)
    return require_signature(approver.id, challenge, answer.response, answer.origin, at)


def is_signature_needed(*, kind: str, principal_id: str) -> bool:
    """Return whether approving this kind of action takes a passkey of this person.

    It does for what is of high risk once the person has one, so that a stolen session cannot do
    without; and always where the bank says so (`SENTINEL_APPROVALS_SIGNED`).
    """
    try:
        is_high = action_kind(kind).risk == "high"
    except UnknownAction:
        is_high = True
    if not is_high:
        return False
    is_always = bool(getattr(settings, "SENTINEL_APPROVALS_SIGNED", False))
    return is_always or bool(passkeys_of(principal_id=principal_id))


def _approved(request_id: UUID, params_hash: str) -> bytes:
    return signing_challenge(APPROVAL, request_id, APPROVE, params_hash)
