"""Say which language a message is written in, well enough to refuse what would only be guessed."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

ENGLISH: Final = "en"
UNKNOWN: Final = "und"
_FOLDER: Final = Path(__file__).parent
_SEEDS: Final = _FOLDER.parent / "intent" / "seed_utterances"
_WORD: Final = re.compile(r"(?<!\w)[^\W\d_]+(?:['\u2019][^\W\d_]+)*(?!\w)")
_SCRIPTS: Final = {
    "ARABIC": "ar", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko",
    "CYRILLIC": "ru", "GREEK": "el", "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th",
}  # fmt: skip
_INTERNATIONAL: Final = frozenset(
    [
        "euro",
        "euros",
        "eur",
        "usd",
        "gbp",
        "dollar",
        "iban",
        "bank",
        "ok",
        "sms",
        "pin",
        "app",
        "card",
        "ai",
    ]
)
_OTHER_SCRIPT_SHARE_MAX: Final = 0.2
_KNOWN_SHARE_MIN: Final = 0.3
_WORDS_TO_JUDGE_MIN: Final = 3
_NEAR_WORDS_MAX: Final = 12
_NEAR_LETTERS_MIN: Final = 4


@cache
def _english() -> frozenset[str]:
    words = set((_FOLDER / "english.txt").read_text("utf-8").split())
    for path in _SEEDS.glob("*.txt"):
        text = re.sub(r"\{\w+\}|^#.*$", " ", path.read_text("utf-8"), flags=re.MULTILINE)
        words.update(_WORD.findall(text.lower()))
    return frozenset(words)


@cache
def _foreign() -> dict[str, frozenset[str]]:
    """Return the telling words of each language, those that are English too left out."""
    listed: dict[str, str] = json.loads((_FOLDER / "foreign.json").read_text("utf-8"))
    return {
        code: frozenset(word for word in words.split() if len(word) > 1) - _english()
        for code, words in listed.items()
    }


def is_english_word(word: str) -> bool:
    """Say whether a lower-case word is among the common English words we know."""
    return word in _english()


def _script(text: str) -> str | None:
    """Return the language of a script other than Latin that makes up part of the text."""
    letters = [c for c in text[:2_000] if c.isalpha()]
    scripts = Counter(
        _SCRIPTS.get(unicodedata.name(c, "UNKNOWN").split()[0].split("-")[0], "")
        for c in letters
        if not c.isascii() and not unicodedata.name(c, "").startswith("LATIN")
    )
    if not scripts or sum(scripts.values()) <= _OTHER_SCRIPT_SHARE_MAX * len(letters):
        return None
    return scripts.most_common(1)[0][0] or UNKNOWN


def is_near_english(word: str) -> bool:
    """Say whether a lower-case word is at most one typing mistake away from an English word."""
    if len(word) < _NEAR_LETTERS_MIN:
        return word in _english()
    return process.extractOne(word, _english(), scorer=OSA.distance, score_cutoff=1) is not None


def detect(text: str, *, names: Sequence[str] = ()) -> str:
    """Return `en`, the code of another language, or `und` when it is none we can tell.

    Words in `names` (payees the customer has) count for no language.
    """
    script = _script(text)
    if script:
        return script
    ignored = {word for name in names for word in _WORD.findall(name.lower())} | _INTERNATIONAL
    words = [w.replace("\u2019", "'") for w in _WORD.findall(text[:2_000].lower())]
    words = [word for word in words if word not in ignored]
    english = sum(word in _english() for word in words)
    foreign = {code: sum(word in known for word in words) for code, known in _foreign().items()}
    likeliest = max(foreign, key=lambda code: foreign[code])
    if foreign[likeliest] > english:
        return likeliest
    if len(words) < _WORDS_TO_JUDGE_MIN or english >= _KNOWN_SHARE_MIN * len(words):
        return ENGLISH
    others = [word for word in words if word not in _english()]
    near = sum(is_near_english(word) for word in others[:_NEAR_WORDS_MAX])
    return ENGLISH if english + near >= _KNOWN_SHARE_MIN * len(words) else UNKNOWN
