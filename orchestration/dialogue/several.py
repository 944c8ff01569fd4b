"""A message of several parts: what answers the open question, what can be done at once, the rest.

Reads only. What is open is answered first, but a payment is confirmed only by a message that says
nothing else: what stands beside a "yes" may be what it depends on, or an objection.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import intelligence.public
import nexus.public
from intelligence.public import Advice, DialogueContext, Intent, KnownPayee, Understanding
from orchestration import journeys
from orchestration.dialogue.filling import is_named
from orchestration.dialogue.turns import Turn
from orchestration.planning import splitting
from orchestration.planning.splitting import Clause, Meaning

Answer = Literal["correct", "cancel", "none"]
TEXT_LENGTH_MAX = 1_000
_PAY = Intent.PAY.value
# What is said to what is open, and is no request by itself.
_ANSWERS: Final = frozenset({"correct", "cancel", "confirm"})
# What needs no plan, and must not wait for one: blocking a card is urgent.
_ALONE: Final = frozenset({Intent.TALK_TO_PERSON.value, Intent.PAY_DOCUMENT.value})
_URGENT: Final = frozenset({Intent.CARD_BLOCK.value})
_LEADING_NO = re.compile(r"\s*(?:no|nope|nah)\s*,\s*(?!and\b)", re.IGNORECASE)
_REMARK_WORDS_MAX = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says to what is open, and what it asks for besides.

    `is_unclear` tells that a part of it was not understood and is not taken up.
    """

    answer: Answer
    words: str
    requests: tuple[Clause, ...]
    is_unclear: bool


def is_open(turn: Turn) -> bool:
    """Tell whether something waits for the customer: a payment shown, or a question."""
    return turn.draft.intent is not None and turn.draft.awaiting is not None


def context_of(turn: Turn, *, has_document: bool = False) -> DialogueContext:
    """Return what the conversation is about, for whoever reads the next message."""
    return DialogueContext(
        intent=turn.draft.intent, awaiting=turn.draft.awaiting, has_document=has_document
    )


def payees_of(turn: Turn) -> list[KnownPayee]:
    """Return the payees of the customer, as a message is read with them."""
    return [
        KnownPayee(payee_id=each.payee_id, name=each.name)
        for each in nexus.public.payees_of(customer_id=turn.customer_id)
    ]


def understood(
    turn: Turn, text: str, dialogue: DialogueContext, payees: Sequence[KnownPayee], *, record: bool
) -> Understanding:
    """Return what words mean; what corrects nothing of the request that is open is no correction.

    Raises:
        NoModelAnswered: there is no model that could tell.
    """
    found = intelligence.public.understand(
        text=text, at=turn.at, payees=payees, dialogue=dialogue, record=record
    )
    if found.intent is not Intent.CORRECT or found.refusals or dialogue.intent is None:
        return found
    plain = intelligence.public.understand(text=text, at=turn.at, payees=payees, record=False)
    is_block = plain.intent is Intent.CARD_BLOCK and plain.advice is Advice.PROCEED
    _journey, request = journeys.requests()[dialogue.intent]
    is_about = any(is_named(slot, found.slots) for slot in request.slots.values())
    return found if is_about and not is_block else plain


def said(turn: Turn, text: str) -> Said | None:
    """Tell the parts of a message apart; None when it is one plain request or answer."""
    if not splitting.may_be_several(text):
        return None
    if len(text) > TEXT_LENGTH_MAX:
        # Too much to be told apart: nothing of it is guessed at while something is open.
        return Said("none", "", (), is_unclear=True) if is_open(turn) else None
    reading = _Reading(turn, payees_of(turn), context_of(turn))
    return reading.said(text)


def at_once(requests: Sequence[Clause], *, is_open: bool) -> tuple[list[Clause], list[Clause]]:
    """Return what is done at once, and what is shown as steps to be confirmed.

    While something is open, questions are answered and a card is blocked at once; all else waits.
    """
    now: list[Clause] = []
    later: list[Clause] = []
    was_kept = False
    for clause in requests:
        # What followed a part that is done at once follows nothing any more.
        each = clause if was_kept else replace(clause, relation="beside")
        was_kept = not _is_done_at_once(each, is_open=is_open)
        (later if was_kept else now).append(each)
    if not is_open and len(later) == 1 and later[0].limit is None:
        return [*now, *later], []
    return now, later


def _is_done_at_once(clause: Clause, *, is_open: bool) -> bool:
    if clause.kind in _ALONE:
        return True
    if not is_open or clause.limit is not None or clause.relation == "after":
        return False
    return clause.kind in _URGENT or journeys.requests()[clause.kind][1].read is not None


class _Reading:
    """One reading of a message, part by part, remembering what could not be understood."""

    def __init__(self, turn: Turn, payees: Sequence[KnownPayee], dialogue: DialogueContext) -> None:
        self._turn, self._payees, self._dialogue = turn, payees, dialogue
        self._is_unclear = False

    def said(self, text: str) -> Said | None:
        lead = _LEADING_NO.match(text) if self._dialogue.awaiting else None
        rest = text[lead.end() :] if lead else text
        clauses = splitting.split(rest, [each.name for each in self._payees], self._meaning)
        if lead and clauses and clauses[0].kind == _PAY:
            # "No, pay Bob" speaks of the payment that is shown.
            whole = lead[0] + clauses[0].text
            kind = self._meaning(whole).kind or _PAY
            clauses = (replace(clauses[0], text=whole, kind=kind), *clauses[1:])
        kinds = {each.kind for each in clauses}
        if not clauses or (len(kinds) == 1 and kinds <= _ANSWERS):
            return None
        return self._parts(clauses)

    def _parts(self, clauses: Sequence[Clause]) -> Said:
        requests = [each for each in clauses if each.kind not in _ANSWERS]
        if requests:
            requests[0] = replace(requests[0], relation="beside")
        answer = self._answer(clauses)
        words = ". ".join(each.text for each in clauses if each.kind == answer)
        return Said(answer, words, tuple(requests), self._is_unclear)

    def _answer(self, clauses: Sequence[Clause]) -> Answer:
        kinds = [each.kind for each in clauses]
        if "correct" in kinds:
            return "correct"
        if "cancel" in kinds:
            return "cancel"
        if "confirm" in kinds:
            self._is_unclear = True
        return "none"

    def _meaning(self, text: str) -> Meaning:
        kind, found = self._kind(text)
        if found is None:
            return Meaning(None, is_sure=False)
        slots = found.slots
        if kind is None and not slots.names() and len(text.split()) > _REMARK_WORDS_MAX:
            self._is_unclear = True
        return Meaning(
            kind,
            is_sure=kind in _ANSWERS or found.advice is not Advice.NOT_UNDERSTOOD,
            has_amount=slots.amount is not None,
            has_payee=slots.payee is not None,
        )

    def _kind(self, text: str) -> tuple[str | None, Understanding | None]:
        try:
            found = understood(self._turn, text, self._dialogue, self._payees, record=False)
        except intelligence.public.NoModelAnswered:
            return None, None
        if self._dialogue.awaiting is not None:
            answer = _answer_in(found)
            if answer is not None:
                return answer, found
        name = found.intent.value
        return (name if name in journeys.requests() or name in _ALONE else None), found


def _answer_in(found: Understanding) -> str | None:
    """Return what a part says to what is open; a yes must be nothing but a yes."""
    match found.intent:
        case Intent.CORRECT:
            return "correct"
        case Intent.CANCEL if found.advice is Advice.PROCEED:
            return "cancel"
        case Intent.CONFIRM if found.decided_by == "rule:says_yes":
            return "confirm"
    return "correct" if found.decided_by.startswith("rule:answers") else None
