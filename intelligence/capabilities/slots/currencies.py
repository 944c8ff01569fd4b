"""The words and signs people use for currencies."""

from typing import Final

# None: a currency we recognise but do not pay in, so that "5 bitcoin" is never read as 5 euro.
_WORDS: Final[dict[str, str | None]] = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "eruo": "EUR", "eurs": "EUR",
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP", "sterling": "GBP",
    "chf": "CHF", "czk": "CZK", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "pln": "PLN",
    "jpy": "JPY", "yen": "JPY", "¥": None,
    "btc": None, "bitcoin": None, "bitcoins": None, "eth": None, "ether": None, "crypto": None,
    "rupee": None, "rupees": None, "inr": None, "₹": None, "peso": None, "pesos": None,
    "lira": None, "yuan": None, "cny": None, "rmb": None, "ruble": None,
    "rubles": None, "roubles": None, "krona": None, "kronor": None, "krone": None, "kroner": None,
    "franc": None, "francs": None, "zloty": None, "koruna": None, "forint": None,
}  # fmt: skip
CURRENCIES: Final = _WORDS
SIGNS: Final = "€$£¥₹"
CENTS: Final = frozenset({"cent", "cents", "ct", "cts", "pence", "penny"})
# Money words without a currency of their own: the customer's account decides.
NEUTRAL: Final = frozenset({"bucks"})
