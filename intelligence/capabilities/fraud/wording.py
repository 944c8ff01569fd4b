"""The words for what raises a fraud score: exact for staff, plain for customers."""

from typing import Final

_WORDS: Final = {
    "amount": ("Amount of {value:.2f} is high in itself", "It is a large amount."),
    "amount_over_median": (
        "Amount is {value:.1f} times this customer's median payment",
        "It is more than you usually pay.",
    ),
    "amount_over_p95": (
        "Amount is {value:.1f} times what 95% of this customer's payments stay below",
        "It is more than almost all your payments.",
    ),
    "payee_age_days": (
        "Payee was added {value:.0f} days ago",
        "You have known this payee for a short time.",
    ),
    "is_new_payee": ("First payment to this payee", "You have not paid this payee before."),
    "is_payee_iban_changed": (
        "IBAN differs from the one this payee was paid on before",
        "The account number differs from the one you used before for this payee.",
    ),
    "is_new_country": (
        "IBAN is of a country this customer has not paid to before",
        "The account is in a country you have not paid to before.",
    ),
    "is_iban_from_document": (
        "IBAN was read from a document, neither typed nor on record",
        "The account number comes from a document.",
    ),
    "hour": ("Payment at {value:02.0f}:00, outside usual hours", "It is an unusual time of day."),
    "payments_last_day": (
        "{value:.0f} payments in the last 24 hours",
        "You made several payments in a short time.",
    ),
    "sum_last_day_over_median": (
        "Payments of the last 24 hours add up to {value:.1f} times the median payment",
        "You paid a lot in a short time.",
    ),
    "is_round_amount": ("Round amount", "It is a round amount."),
    "account_age_days": ("Account is {value:.0f} days old", "Your account is quite new."),
}
_UNKNOWN: Final = "{name} is not known for this payment"


def words_for(feature: str, value: float) -> tuple[str, str]:
    """Return the words for staff and for the customer about a feature that raised the score."""
    staff, customer = _WORDS[feature]
    if value < 0:
        return _UNKNOWN.format(name=feature), "We know little about your usual payments yet."
    return staff.format(value=value), customer
