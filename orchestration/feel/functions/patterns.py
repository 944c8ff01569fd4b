"""Regular expressions of XPath, as FEEL uses them, on Python's engine."""

import re
from functools import lru_cache

from orchestration.feel.evaluation import Evaluation

PATTERN_LENGTH_MAX = 1000
_FLAGS = {"s": re.DOTALL, "m": re.MULTILINE, "i": re.IGNORECASE, "x": re.VERBOSE}
_QUANTIFIED_GROUP = re.compile(
    r"\((?:[^()\\]|\\.)*(?:[*+]|\{\d+,\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,)"
)
_GROUP_REFERENCE = re.compile(r"\\(.)|\$(\d)", re.DOTALL)


def compile_pattern(pattern: str, flags: str, evaluation: Evaluation) -> re.Pattern[str] | None:
    """Translate a pattern; None, with the reason noted, when it is not one that may run."""
    if len(pattern) > PATTERN_LENGTH_MAX or not set(flags) <= {*_FLAGS, "q"}:
        evaluation.null("the pattern is too long or its flags are unknown")
        return None
    if _QUANTIFIED_GROUP.search(pattern):
        # A repetition inside a repetition can take time exponential in the length of the text.
        evaluation.null("a repetition inside a repetition may run without end")
        return None
    compiled = _compiled(pattern, flags)
    if compiled is None:
        evaluation.null("the pattern is no regular expression")
    return compiled


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> re.Pattern[str] | None:
    options = re.NOFLAG
    for flag in flags.replace("q", ""):
        options |= _FLAGS[flag]
    try:
        return re.compile(re.escape(pattern) if "q" in flags else pattern, options)
    except re.error:
        return None


def replacement_text(replacement: str) -> str:
    """Turn XPath's `$1` into Python's group reference, and everything else into plain text."""
    return _GROUP_REFERENCE.sub(_reference, replacement.replace("\\", "\\\\"))


def _reference(found: re.Match[str]) -> str:
    return found.group() if found.group(2) is None else f"\\g<{found.group(2)}>"
