"""Turn a message into word and letter-group features, the same way in training and serving."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

TEXT_CHARACTERS_MAX: Final = 2_000
LETTER_GROUP_SIZES: Final = (2, 3, 4, 5)

_IBAN: Final = re.compile(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?\b")
_NUMBER: Final = re.compile(r"\d+(?:[.,' \u00a0\u202f]\d+)*")
_CURRENCY_SIGNS: Final = str.maketrans({"€": " euro ", "$": " dollar ", "£": " pound "})
_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'"})
_TOKEN: Final = re.compile(r"_[a-z]+_|[^\W_]+(?:'[^\W_]+)*")


def normalise(text: str) -> str:
    """Return the text in lower case, each number, IBAN and currency sign replaced by one word.

    The words `_num_`, `_iban_` and `_payee_` are ours: a particular amount or name tells nothing
    about the intent, that there is one tells a lot.
    """
    lowered = unicodedata.normalize("NFKC", text[:TEXT_CHARACTERS_MAX]).lower()
    lowered = lowered.translate(_APOSTROPHES).translate(_CURRENCY_SIGNS)
    return _NUMBER.sub(" _num_ ", _IBAN.sub(" _iban_ ", lowered))


def tokens_of(text: str) -> list[str]:
    """Return the words of a normalised text, in order."""
    return _TOKEN.findall(text)


def _word_features(tokens: Sequence[str]) -> Iterator[str]:
    for token in tokens:
        yield f"w {token}"
    padded = ["^", *tokens, "$"]
    for left, right in pairwise(padded):
        yield f"w {left} {right}"


def _letter_features(tokens: Sequence[str]) -> Iterator[str]:
    for token in tokens:
        if token.startswith("_"):
            continue
        padded = f" {token} "
        for size in LETTER_GROUP_SIZES:
            for start in range(len(padded) - size + 1):
                yield f"c{padded[start : start + size]}"


def counts_of(text: str) -> tuple[Counter[str], Counter[str]]:
    """Return how often each word feature and each letter feature stands in a raw text."""
    tokens = tokens_of(normalise(text))
    return Counter(_word_features(tokens)), Counter(_letter_features(tokens))
