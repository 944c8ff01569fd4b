"""Splits what a customer says into its clauses, by rule and with what each clause means. Pure.

A message is cut only where both sides are a request by themselves. "rent and food" in a remark, or
a payee called "Anna and Bob", is never cut; in doubt the message stays whole, and is taken or asked
about as one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from orchestration.planning.graph import Operator

Relation = Literal["beside", "after", "before"]
_HIDDEN = "\x00"
_PAY = "pay"

_POLITE = (
    r"(?:(?:please|kindly|also|just|now|lastly|finally|and|then"
    r"|could you|can you|would you|will you|i(?:'d| would) like(?: you)? to"
    r"|i want(?: you)? to|i need(?: you)? to|help me(?: to)?),?\s+)*"
)
_CUES = re.compile(
    rf"\s*{_POLITE}(?:pay|send|transfer|wire|move|give|block|freeze|lock|disable|stop|show|tell"
    r"|check|look|list|say|let me (?:know|see|talk|speak)|make (?:it|that)|get"
    r"|connect|put me|speak|talk|call|report"
    r"|what|what's|whats|how|how's|where|where's|did|has|is|have|when|i lost|i've lost"
    r"|i have lost|my (?:debit |credit |bank )?card|my wallet)\b",
    re.IGNORECASE,
)
_THEN = (
    r"(?:then|after that|after this|afterwards|afterward|next|subsequently|once (?:that|this)(?:'s"
    r"| is| has been)? (?:done|finished|through)|when (?:that|this)(?:'s| is) (?:done|finished))"
)
_FIRST = r"(?:but (?:first|before that)|but do this first|before that)"
# From the strongest to the weakest; what stands between two clauses goes away.
_BOUNDARY = re.compile(
    rf"(?P<before>\s*[,;.]?\s*\b{_FIRST}\b[,:]?\s+)"
    rf"|(?P<after>\s*[,;.!?\n]*\s*(?:\band\s+)?\b{_THEN}\b[,:]?\s+)"
    r"|(?P<stop>\s*(?:[;\n]+|[.!?]+(?=\s|$))\s*(?:\b(?:and|also|plus)\b,?\s+)?)"
    r"|(?P<weak>\s*,?\s*\b(?:and also|and|plus|as well as|also)\b,?\s+|\s*&\s+|\s*,\s+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u2018[^\u2019]*\u2019|(?<!\w)'[^']*'(?!\w)"
)
_REMARK = re.compile(
    r"\b(?:saying|(?:with (?:the |a )?|and (?:the )?)?(?:remark|note|message|description|reference)"
    r"(?: of)?:?)\s+(?=\S)(?:\x00+|[^.;\n]*)",
    re.IGNORECASE,
)
_AMOUNT = r"(?:€|eur|euro|euros)?\s*(?P<amount>\d[\d.,' ]*\d|\d)\s*(?:k\b)?\s*(?:€|eur\b|euros?\b)?"
_COMPARED = (
    r"(?P<word>at least|no less than|not less than|above|over|more than|greater than|higher than"
    r"|at most|no more than|not more than|below|under|less than|lower than)"
)
_BALANCE = (
    r"(?:my |the |our )?(?:account(?:'s)? |current account |bank )?balance(?: in my account)?"
    r"|(?:i|we)(?: still)? have|there(?:'s| is)(?: still)?"
)
_CONDITION = re.compile(
    rf"\b(?:only )?(?P<if>if|as long as|provided(?: that)?|when|unless|in case)\s+"
    rf"(?:{_BALANCE})(?:\s+(?:is|stays|remains|was|'s))?\s+(?:still\s+)?{_COMPARED}\s+{_AMOUNT}"
    r"(?:\s+(?:in|on|left)(?:\s+(?:in|on))?(?:\s+my)?(?:\s+account)?)?",
    re.IGNORECASE,
)
_OPERATORS: dict[str, Operator] = {
    "at least": "at_least",
    "no less than": "at_least",
    "not less than": "at_least",
    "above": "above",
    "over": "above",
    "more than": "above",
    "greater than": "above",
    "higher than": "above",
    "at most": "at_most",
    "no more than": "at_most",
    "not more than": "at_most",
    "below": "below",
    "under": "below",
    "less than": "below",
    "lower than": "below",
}
_OPPOSITE: dict[Operator, Operator] = {
    "above": "at_most",
    "at_most": "above",
    "below": "at_least",
    "at_least": "below",
}


# "My card was stolen, block it": the same request said in two breaths.
_IT = re.compile(r"\b(?:it|that one|this one)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a clause means: a kind of task or none, whether that is sure, and what it names."""

    kind: str | None
    is_sure: bool
    has_amount: bool = False
    has_payee: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount the balance is compared with, in minor units of the customer's currency."""

    operator: Operator
    minor_units: int


@dataclass(frozen=True, slots=True)
class Clause:
    """One request of a message: its words, its kind, and how it hangs on the one before."""

    text: str
    kind: str
    relation: Relation = "beside"
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    joint: str
    relation: Relation
    limit: Limit | None = None


Understand = Callable[[str], Meaning]


def may_be_several(text: str) -> bool:
    """Tell at once whether a message has a joint or a condition at all; most have none."""
    joint = any(text[: found.start()].strip() for found in _BOUNDARY.finditer(text.rstrip(" .!?")))
    return joint or bool(_CONDITION.search(text))


def split(text: str, names: Sequence[str], understand: Understand) -> tuple[Clause, ...]:
    """Return the requests of a message, in the order said; empty when it is one plain request.

    `names` are the payees the customer knows: no name is ever cut.
    """
    pieces = _conditions(list(_cut(text, names)))
    pieces = _with_ellipses(pieces, understand)
    clauses = _understood(pieces, understand)
    has_limit = any(clause.limit for clause in clauses)
    return clauses if len(clauses) > 1 or has_limit else ()


def _cut(text: str, names: Sequence[str]) -> Iterator[_Piece]:
    """Cut at every joint that a request may follow."""
    masked = _masked(text, names)
    start, joint, relation = 0, "", "beside"
    for found in _BOUNDARY.finditer(masked):
        if found.start() < start or not masked[start : found.start()].strip():
            continue
        rest = masked[found.end() :]
        if not rest.strip() or not _may_begin(found, rest, masked[start : found.start()]):
            continue
        yield _Piece(text[start : found.start()].strip(), joint, _relation(relation))
        start, joint, relation = found.end(), found[0], found.lastgroup or "beside"
    yield _Piece(text[start:].strip(" \t\n.!;,"), joint, _relation(relation))


def _may_begin(found: re.Match[str], rest: str, before: str) -> bool:
    """A strong joint may always cut; "and" and a comma only before the words of a request."""
    if found.lastgroup != "weak" or _CONDITION.search(before + found[0]):
        return True
    return bool(_CUES.match(rest) or _CONDITION.match(rest.lstrip()) or _ELLIPSIS.match(rest))


def _relation(group: str) -> Relation:
    return "after" if group == "after" else "before" if group == "before" else "beside"


def _masked(text: str, names: Sequence[str]) -> str:
    """Hide quotes, remarks and names, so that nothing in them looks like a joint."""
    hidden = text
    for pattern in (_QUOTED, _REMARK):
        hidden = pattern.sub(_hide, hidden)
    for name in sorted(names, key=len, reverse=True):
        if len(name.split()) > 1:
            hidden = re.sub(re.escape(name), _hide, hidden, flags=re.IGNORECASE)
    return hidden


def _hide(found: re.Match[str]) -> str:
    # A remark ends where the next request of the customer plainly begins.
    words = found[0]
    for joint in _BOUNDARY.finditer(words):
        if joint.lastgroup == "after" and _CUES.match(words[joint.end() :]):
            return _HIDDEN * joint.start() + words[joint.start() :]
    return _HIDDEN * len(words)


def _conditions(pieces: list[_Piece]) -> list[_Piece]:
    """Take the conditions out; one that stands alone belongs to what follows it."""
    found: list[_Piece] = []
    pending: Limit | None = None
    for piece in pieces:
        match = _CONDITION.search(piece.text)
        limit = _limit(match) if match else None
        if match is None or limit is None:
            found.append(replace(piece, limit=pending))
            pending = None
            continue
        rest = f"{piece.text[: match.start()]} {piece.text[match.end() :]}"
        rest = re.sub(r"^[\s,]*(?:then\b)?[\s,]*|[\s,]+$", "", rest, flags=re.IGNORECASE)
        if rest:
            found.append(replace(piece, text=" ".join(rest.split()), limit=limit))
        else:
            pending = limit
    return found


def _limit(match: re.Match[str]) -> Limit | None:
    minor_units = _minor_units(match["amount"])
    if minor_units is None:
        return None
    operator = _OPERATORS[" ".join(match["word"].lower().split())]
    if match["if"].lower() == "unless":
        operator = _OPPOSITE[operator]
    return Limit(operator, minor_units)


def _minor_units(written: str) -> int | None:
    """Read digits with thousands and up to two decimals; anything unclear is no amount."""
    plain = re.sub(r"[ ']", "", written)
    match = re.fullmatch(r"(\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](\d{1,2}))?", plain)
    if match is None:
        return None
    whole = re.sub(r"[.,]", "", match[1])
    return int(whole) * 100 + int((match[2] or "").ljust(2, "0"))


_ELLIPSIS = re.compile(
    r"\s*(?:(?P<amount_first>(?:€\s*)?\d[\d.,]*\s*(?:€|eur|euros?)?\s+to\s+[^\W\d]\S*)"
    r"|(?P<name_first>(?!for\b|the\b|a\b|my\b)[^\W\d][\w'.-]*(?:\s+[^\W\d][\w'.-]*){0,2}"
    r"\s+(?:€\s*)?\d[\d.,]*))",
    re.IGNORECASE,
)


def _with_ellipses(pieces: list[_Piece], understand: Understand) -> list[_Piece]:
    """Give "pay Anna 50 and Bob 30" its second verb, if both have an amount of their own.

    What is so short and is no second payment stays with the piece before it.
    """
    found: list[_Piece] = []
    for piece in pieces:
        if not found or not _ELLIPSIS.match(piece.text) or _CUES.match(piece.text):
            found.append(piece)
            continue
        whole = f"pay {piece.text}"
        if _is_payment(understand(found[-1].text)) and _is_payment(understand(whole)):
            found.append(replace(piece, text=whole))
        else:
            found[-1] = _joined(found[-1], piece)
    return found


def _is_payment(meaning: Meaning) -> bool:
    return meaning.kind == _PAY and meaning.has_amount and meaning.has_payee


def _joined(first: _Piece, second: _Piece) -> _Piece:
    text = f"{first.text}{second.joint}{second.text}"
    return replace(first, text=text, limit=first.limit or second.limit)


def _understood(pieces: list[_Piece], understand: Understand) -> tuple[Clause, ...]:
    """Return the clauses; what is no request by itself is put to the one before it, or after."""
    clauses: list[Clause] = []
    lead: _Piece | None = None
    for piece in pieces:
        meaning = understand(piece.text)
        is_same = bool(clauses) and clauses[-1].kind == meaning.kind and _IT.search(piece.text)
        if meaning.kind is not None and meaning.is_sure and not is_same:
            whole = _joined(lead, piece) if lead else piece
            clauses.append(Clause(whole.text, meaning.kind, piece.relation, whole.limit))
            lead = None
        elif clauses:
            last = clauses[-1]
            clauses[-1] = replace(
                last, text=f"{last.text}{piece.joint}{piece.text}", limit=last.limit or piece.limit
            )
        else:
            lead = _joined(lead, piece) if lead else piece
    if clauses:
        clauses[0] = replace(clauses[0], relation="beside")
    return tuple(clauses)
