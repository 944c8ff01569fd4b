"""The words a customer reads when something they wrote cannot be taken; the codes are stable."""

from typing import Final

from intelligence.capabilities.slots.values import Refusal, Span

WORDS: Final = {
    "amount_zero": "The amount must be more than zero.",
    "amount_negative": "The amount must be more than zero; a minus sign is not possible.",
    "amount_too_many_decimals": "An amount has at most two decimals, such as 12.50.",
    "amount_too_large": "That amount is larger than any payment can be.",
    "amount_not_a_number": "I could not read that as an amount. Please write it like 1250.50.",
    "amount_unusual_digits": "Please write the amount with the digits 0 to 9.",
    "amount_ambiguous": "I can read that amount in two ways. Please write it like 1250.50.",
    "amount_vague": "Please give the exact amount, like 250 or 250.00.",
    "amount_relative": "Please give the whole amount to pay, not the difference.",
    "several_amounts": "You named more than one amount. Which one should I use?",
    "currency_ambiguous": "You named more than one currency. Which one should I use?",
    "currency_not_supported": "I cannot pay in that currency.",
    "date_ambiguous": "I can read that date in two ways. Please write it like 1 December.",
    "date_invalid": "That date does not exist.",
    "date_in_past": "That date has passed. A payment can be made today or later.",
    "iban_wrong_check_digits": "That IBAN has a typing mistake: its check digits do not match.",
    "iban_unknown_form": "That IBAN has a wrong length for its country.",
    "several_ibans": "You named more than one IBAN. Which one should I use?",
    "several_payees": "More than one of your payees fits. Whom do you mean?",
    "message_too_long": "That message is too long for me. Please say it in fewer words.",
    "message_empty": "I did not receive any words.",
    "language_not_supported": "Sorry, I only understand English at the moment.",
}


def refusal(code: str, span: Span | None = None) -> Refusal:
    """Return the refusal of a code with its words for the customer."""
    return Refusal(code, WORDS[code], span)
