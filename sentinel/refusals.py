"""The base of Sentinel's errors, and the words for refusals that no policy file states."""

from types import MappingProxyType

from sentinel.vocabulary import Reason


class SentinelError(Exception):
    """Sentinel refused something. Every kind has a stable code."""

    code = "sentinel_error"
    is_retryable = False


_LATER = "We could not check this just now. Nothing has happened. Please try again in a moment."
_STOPPED = "This is not possible at the moment. Nothing has happened. A colleague can help you."

# code -> (for the customer, for staff)
_WORDS = MappingProxyType(
    {
        "unknown_action": (_STOPPED, "The action is not in the catalogue."),
        "bad_parameters": (
            "Some of the details are not complete or not valid. Nothing has happened.",
            "The parameters do not fit the schema of the action.",
        ),
        "unknown_purpose": (_STOPPED, "The purpose is not one the bank has registered."),
        "unknown_provenance": (
            "We are not sure where some of the details come from, so nothing has happened.",
            "A parameter has no source, or its source is unknown.",
        ),
        "principal_refused": (_STOPPED, "Somebody in the chain of principals is not acceptable."),
        "chain_too_long": (_STOPPED, "The chain of principals is longer than allowed."),
        "cross_entity": (_STOPPED, "Somebody in the chain belongs to another legal entity."),
        "no_person_of_record": (
            _STOPPED,
            "Somebody in the chain is a person, but no person of record is known.",
        ),
        "human_only": (
            "Only a person may do this. A colleague will help you.",
            "The catalogue keeps this for people; no policy can give it to an agent or a system.",
        ),
        "unknown_role": (_STOPPED, "Somebody in the chain has a role that is not registered."),
        "bad_resource": (_STOPPED, "The resource is not named as kind:id."),
        "stopped": (_STOPPED, "A kill switch is set for this action, person, agent or rule."),
        "fact_missing": (_LATER, "A fact that the rules need was not handed in."),
        "fact_stale": (_LATER, "A fact is older than its maximum age."),
        "fact_from_future": (_LATER, "A fact was observed later than now."),
        "fact_unattested": (_LATER, "A fact names no source row."),
        "fact_malformed": (_LATER, "A fact has a value of another type than declared."),
        "fact_repeated": (_LATER, "A fact was handed in twice."),
        "policy_unavailable": (_LATER, "No valid, signed set of policies is in force."),
        "policy_error": (_LATER, "A policy could not be evaluated."),
        "policy_incomplete": (_LATER, "The policies refer to somebody or something not supplied."),
        "no_permit": (
            "This is not something we can do for you here. Nothing has happened.",
            "No policy permits this.",
        ),
        "limit_unknown": (_STOPPED, "No limit is set for this currency."),
        "limit_exceeded": (
            "This would go over your limit for today. Nothing has happened. "
            "You can pay a smaller amount, or ask us to change your limit.",
            "The amount and what is already reserved today exceed the limit.",
        ),
        "shared_limit_exceeded": (
            "This would go over one of the limits that apply here. Nothing has happened. "
            "A colleague can tell you more.",
            "The amount and what is already reserved exceed a limit of the month, account, agent "
            "or purpose.",
        ),
        "budget_exhausted": (
            "The assistant has done all it may do for now. Nothing has happened. "
            "A colleague will help you.",
            "An agent or the case has used up a budget.",
        ),
        "approval_rejected": (
            "A colleague looked at this and decided that we will not do it. Nothing has happened.",
            "The approver rejected exactly these parameters.",
        ),
        "history_unreadable": (_LATER, "What was done before in this case could not be read."),
        "signer_unavailable": (_LATER, "The signer of decision tokens does not answer or refuses."),
        "gate_shut": (
            "We are checking our books and can do nothing at the moment. Nothing has happened. "
            "Please try again later.",
            "A backup was put back, and the gate is not open again: see `manage.py gate`.",
        ),
        "log_behind": (_LATER, "The evidence log is not being sequenced; high-risk actions stop."),
        "clock_differs": (_LATER, "The clock of the process that asks is not the database's."),
        "forgotten": (_STOPPED, "The personal data of this subject have been erased."),
        "no_mandate": (
            "This may not be done on somebody's behalf without a mandate that is in force."
            " Nothing has happened.",
            "No mandate for this kind of action stands for somebody in the chain.",
        ),
        "beyond_mandate": (
            "This is more than may be decided here: at most {detail}. Nothing has happened.",
            "The amount is above the cap of the mandate.",
        ),
        "permitted": ("", "Permitted."),
    }
)


def reason(code: str, *, detail: str = "") -> Reason:
    """Return the words for a refusal that Sentinel itself states; `detail` is for staff only."""
    customer, staff = _WORDS[code]
    customer = customer.replace("{detail}", detail)
    return Reason(code, customer, f"{staff} ({detail})" if detail else staff)


def known_reason(code: str) -> str:
    """Return what a customer is told of a refusal, or its code where it is no refusal of ours."""
    return _WORDS[code][0] if code in _WORDS else code
