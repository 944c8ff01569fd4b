"""Amounts and account numbers as a person reads them."""

from dataclasses import dataclass

from sentinel.vocabulary import Money

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount in parts, so that a screen can set the minor part and the currency quieter."""

    sign: str
    whole: str
    minor: str
    currency: str
    is_incoming: bool = False

    @property
    def text(self) -> str:
        """The whole amount as one string: currency, sign, digits."""
        return f"{self.currency}{NO_BREAK}{self.sign}{self.whole}{self.minor}"


def figure(money: Money, *, is_signed: bool = False) -> Figure:
    """Return the parts of an amount; with `is_signed` money that comes in carries a plus."""
    whole, dot, minor = money.as_decimal().lstrip("-").partition(".")
    sign = MINUS if money.minor_units < 0 else "+" if is_signed and money.minor_units > 0 else ""
    return Figure(
        sign=sign,
        whole=f"{int(whole):,}",
        minor=dot + minor,
        currency=money.currency,
        is_incoming=is_signed and money.minor_units > 0,
    )


def spoken(money: Money) -> str:
    """Return an amount for a sentence or a button: "€ 1,250.00", "CHF 20.00"."""
    parts = figure(money)
    symbol = _SYMBOLS.get(money.currency, money.currency)
    return f"{symbol}{NO_BREAK}{parts.sign}{parts.whole}{parts.minor}"


def grouped_iban(iban: str) -> str:
    """Return an IBAN in groups of four that do not break over lines."""
    compact = "".join(iban.split())
    return NO_BREAK.join(compact[start : start + 4] for start in range(0, len(compact), 4))


def differing(*, iban: str, other: str) -> tuple[tuple[str, bool], ...]:
    """Return the groups of an IBAN and whether each differs from the other's at its place."""
    groups, others = grouped_iban(iban).split(NO_BREAK), grouped_iban(other).split(NO_BREAK)
    others += [""] * (len(groups) - len(others))
    return tuple((group, group != others[index]) for index, group in enumerate(groups))
