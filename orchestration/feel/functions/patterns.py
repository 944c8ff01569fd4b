"""Regular expressions of XPath, as FEEL uses them, on Python's engine."""

import re
from functools import lru_cache

from orchestration.feel.evaluation import Evaluation
from orchestration.feel.functions.xpath_pattern import PatternRefused, translate

PATTERN_LENGTH_MAX = 1000
_FLAGS = frozenset("smixq")
_QUANTIFIED_GROUP = re.compile(
    r"\((?:[^()\\]|\\.)*(?:[*+]|\{\d+,\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,)"
)
_GROUP_REFERENCE = re.compile(r"\\(?P<escaped>[\\$])|\$(?P<group>\d+)|(?P<plain>[^\\$]+)")


def compile_pattern(pattern: str, flags: str, evaluation: Evaluation) -> re.Pattern[str] | None:
    """Translate a pattern; None, with the reason noted, when it is not one that may run."""
    if len(pattern) > PATTERN_LENGTH_MAX or not set(flags) <= _FLAGS:
        evaluation.null("the pattern is too long or its flags are unknown")
        return None
    if _QUANTIFIED_GROUP.search(pattern) and "q" not in flags:
        # A repetition inside a repetition can take time exponential in the length of the text.
        evaluation.null("a repetition inside a repetition may run without end")
        return None
    compiled = _compiled(pattern, flags)
    if compiled is None:
        evaluation.null("the pattern is no regular expression")
    return compiled


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> re.Pattern[str] | None:
    options = re.IGNORECASE if "i" in flags else re.NOFLAG
    if "m" in flags:
        options |= re.MULTILINE
    try:
        text = re.escape(pattern) if "q" in flags else translate(pattern, flags)
        return re.compile(text, options)
    except (re.error, PatternRefused, OverflowError):
        return None


def replacement_parts(replacement: str, groups: int) -> tuple[str | int, ...] | None:
    """Split XPath's replacement into texts and group numbers; None when it is malformed.

    A reference to a group the pattern lacks stands for nothing.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(replacement):
        found = _GROUP_REFERENCE.match(replacement, position)
        if found is None:
            return None
        position = found.end()
        if found["group"] is None:
            parts.append(found["plain"] or found["escaped"])
        else:
            parts.extend(_group_parts(found["group"], groups))
    return tuple(parts)


def _group_parts(digits: str, groups: int) -> tuple[str | int, ...]:
    """Take as many digits for the number as name a group the pattern has; the rest is text."""
    length = len(digits)
    while length > 1 and int(digits[:length]) > groups:
        length -= 1
    number = int(digits[:length])
    rest = digits[length:]
    return (*((number,) if number <= groups else ()), *((rest,) if rest else ()))
