"""The part of Sentinel's door that is about passkeys; `public.py` offers all of it."""

from sentinel.passkeys import (
    Ceremony,
    Passkey,
    PasskeyAnswer,
    PasskeyRefused,
    PasskeyUnknown,
    begin_passkey,
    enrol_passkey,
    passkeys_of,
    remove_passkey,
)
from sentinel.signed_answers import answer_step_up_with_passkey, step_up_options
from sentinel.signed_approvals import approval_options, is_signature_needed

__all__ = [
    "Ceremony",
    "Passkey",
    "PasskeyAnswer",
    "PasskeyRefused",
    "PasskeyUnknown",
    "answer_step_up_with_passkey",
    "approval_options",
    "begin_passkey",
    "enrol_passkey",
    "is_signature_needed",
    "passkeys_of",
    "remove_passkey",
    "step_up_options",
]
