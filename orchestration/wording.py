"""Sentences of a journey, filled from what a flow knows: `{payment.amount}`, `{iban|iban}`.

A sentence is content of the bank; what is filled in is data and stays data: it is put in once and
never read again as a template.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from sentinel.vocabulary import Money

_PLACE = re.compile(r"\{([a-z0-9_]+(?:\.[a-z0-9_]+)*)(?:\|([a-z]+))?\}")
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?=\s|$)")
_LENGTH_MAX = 600


def filled(sentence: str, values: Mapping[str, object]) -> str:
    """Return the sentence with each place filled; what is not known becomes a dash."""
    whole = _PLACE.sub(lambda place: _words(found(values, place[1]), place[2]), sentence)
    # A name such as "Hendriks B.V." brings the full stop of its sentence along.
    return _TWO_STOPS.sub(".", whole)


def money_words(minor_units: int, currency: str) -> str:
    """Return an amount as people read it: "EUR 1,250.00"."""
    digits = Money(minor_units, currency).as_decimal()
    whole, dot, cents = digits.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{currency} {sign}{int(whole):,}{dot}{cents}"


def iban_words(iban: str) -> str:
    """Return an IBAN in groups of four."""
    return " ".join(iban[index : index + 4] for index in range(0, len(iban), 4))


def date_words(text: str) -> str:
    """Return an ISO date as people read it: "21 November 2026"."""
    day = date.fromisoformat(text[:10])
    return f"{day.day} {day:%B %Y}"


def name_words(name: str) -> str:
    """Return a name that machines use as people read it: "block card"."""
    return name.replace("_", " ")


def found(values: Mapping[str, object], path: str) -> object:
    """Return what stands at a path such as `denial.reasons.0.policy_id`, or None."""
    here: object = values
    for name in path.split("."):
        if isinstance(here, Mapping):
            here = here.get(name)
        elif isinstance(here, list) and name.isdigit() and int(name) < len(here):
            here = here[int(name)]
        else:
            return None
    return here


def _words(value: object, form: str | None) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Mapping):
        minor_units, currency = value.get("minor_units"), value.get("currency")
        if isinstance(minor_units, int) and isinstance(currency, str):
            return money_words(minor_units, currency)
        return "-"
    text = str(value)[:_LENGTH_MAX]
    return _FORMS[form](text) if form in _FORMS else text


_FORMS: Mapping[str | None, Callable[[str], str]] = {
    "iban": iban_words,
    "date": date_words,
    "name": name_words,
}
