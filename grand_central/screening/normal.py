"""Names in the plain form they are compared in: Latin letters without accents, words apart."""

# ruff: noqa: RUF001 - the table below is about exactly these letters

import re
import unicodedata

NAME_LENGTH_MAX = 200
_APOSTROPHES = re.compile("['`\u2018\u2019\u02bc]")
_NOT_WORDS = re.compile(r"[^a-z0-9]+")
# Letters that Unicode does not take apart, and Cyrillic and Greek by their usual transcription.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l",
        "ı": "i", "ħ": "h", "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e",
        "ж": "zh", "з": "z", "и": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o",
        "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
        "я": "ya", "і": "i", "є": "ye", "ґ": "g", "α": "a", "β": "v", "γ": "g", "δ": "d",
        "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m",
        "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t",
        "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
    }
)  # fmt: skip


def plain_name(name: str) -> str:
    """Return a name in its plain form; '' when nothing of it can be compared."""
    folded = unicodedata.normalize("NFKD", name[:NAME_LENGTH_MAX]).casefold()
    letters = "".join(each for each in folded if not unicodedata.combining(each))
    return " ".join(_NOT_WORDS.split(_APOSTROPHES.sub("", letters.translate(_LETTERS)))).strip()


def sorted_words(plain: str) -> str:
    """Return a plain name with its words in order, so that their order does not count."""
    return " ".join(sorted(plain.split()))
