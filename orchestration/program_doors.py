"""The part of the door for programs outside: their keys, what they may ask, and what they spend."""

from orchestration.evaluating import Evaluation, Question, evaluate
from orchestration.redeeming import (
    Ended,
    PermitUnknown,
    Presented,
    Wish,
    key_of,
    outcome_outside,
    permit_outside,
    record_outside,
    redeem_outside,
)
from orchestration.triggers.keys import (
    AudienceRefused,
    Caller,
    CallerRefused,
    caller_of,
    make_caller,
    make_webhook_key,
    revoke_caller,
    revoke_webhook_key,
)

__all__ = [
    "AudienceRefused",
    "Caller",
    "CallerRefused",
    "Ended",
    "Evaluation",
    "PermitUnknown",
    "Presented",
    "Question",
    "Wish",
    "caller_of",
    "evaluate",
    "key_of",
    "make_caller",
    "make_webhook_key",
    "outcome_outside",
    "permit_outside",
    "record_outside",
    "redeem_outside",
    "revoke_caller",
    "revoke_webhook_key",
]
