"""What one character of an XPath pattern may match, written as a character class of Python's."""

import sys
import unicodedata
from functools import cache

CLASS_ESCAPES = {
    "i": "[A-Za-z_:\u00c0-\U000effff]",
    "I": "[^A-Za-z_:\u00c0-\U000effff]",
    "c": "[-.0-9A-Za-z_:\u00b7-\U000effff]",
    "C": "[^-.0-9A-Za-z_:\u00b7-\U000effff]",
    "d": r"\d",
    "D": r"\D",
    "s": "[ \\t\\n\\r]",
    "S": "[^ \\t\\n\\r]",
    "w": r"[^\W_]",
    "W": r"[\W_]",
}
SINGLE_ESCAPES = frozenset("nrt\\|.?*+(){}-[]^$")
BLOCKS = {
    "BasicLatin": "\\x00-\\x7f",
    "Latin-1Supplement": "\\x80-\\xff",
    "LatinExtended-A": "\u0100-\u017f",
    "LatinExtended-B": "\u0180-\u024f",
    "Greek": "\u0370-\u03ff",
    "GreekandCoptic": "\u0370-\u03ff",
    "Cyrillic": "\u0400-\u04ff",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff",
    "GeneralPunctuation": "\u2000-\u206f",
    "CurrencySymbols": "\u20a0-\u20cf",
    "Hiragana": "\u3040-\u309f",
    "Katakana": "\u30a0-\u30ff",
    "CJKUnifiedIdeographs": "\u4e00-\u9fff",
}


def inside_class(text: str) -> str:
    """Write a class escape so that it can stand inside another class."""
    if text.startswith("[^"):
        # A negated set cannot stand inside another; these escapes have a plain form there.
        return {"[^ \\t\\n\\r]": r"\S", r"[^\W_]": r"\w"}.get(text, r"\W")
    return text[1:-1] if text.startswith("[") else text


def category_ranges(name: str) -> str:
    """List the characters of a Unicode category as ranges of a class; empty for none such."""
    every = _all_categories()
    wanted = [ranges for category, ranges in every.items() if name and category.startswith(name)]
    return "".join(wanted)


@cache
def _all_categories() -> dict[str, str]:
    """Walk the characters once, and give the ranges of each category of two letters."""
    ranges: dict[str, list[str]] = {}
    start, current = 0, unicodedata.category("\0")
    for point in range(1, sys.maxunicode + 2):
        category = unicodedata.category(chr(point)) if point <= sys.maxunicode else ""
        if category != current:
            ranges.setdefault(current, []).append(f"\\U{start:08x}-\\U{point - 1:08x}")
            start, current = point, category
    return {category: "".join(parts) for category, parts in ranges.items()}
