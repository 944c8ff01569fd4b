"""What a decision rests on, waits for or opens, and what its permit obliges to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sentinel.asking import Judgement
from sentinel.gathering import ApprovalOnFile, ChallengeOnFile, Gathered
from sentinel.identifiers import uuid7
from sentinel.judging import ATTEMPTS_MAX, Proposal, is_satisfied
from sentinel.vocabulary import Verdict

TYPING_SECONDS = 30
# Whoever acts on a permit says what became of it.
TELL_OUTCOME = "outcome"
HANDLED_BY_ALL = frozenset({TELL_OUTCOME})


@dataclass(frozen=True, slots=True)
class ObligationIds:
    """Which approval request and challenge a decision names, and whether they are new."""

    subject: str
    approval_id: UUID | None = None
    is_approval_new: bool = False
    challenge_id: UUID | None = None
    is_challenge_new: bool = False


def obligation_ids(
    subject: str, proposal: Proposal, known: Gathered, judgement: Judgement
) -> ObligationIds:
    """Return which approval and challenge this decision rests on, waits for or opens."""
    approval = _approval(proposal, known, judgement)
    challenge = _challenge(proposal, known, judgement)
    needs_approval = judgement.verdict is Verdict.NEEDS_APPROVAL
    needs_step_up = judgement.verdict is Verdict.NEEDS_STEP_UP
    return ObligationIds(
        subject=subject,
        approval_id=approval.id if approval else uuid7() if needs_approval else None,
        is_approval_new=needs_approval and approval is None,
        challenge_id=challenge.id if challenge else uuid7() if needs_step_up else None,
        is_challenge_new=needs_step_up and challenge is None,
    )


def _approval(proposal: Proposal, known: Gathered, judgement: Judgement) -> ApprovalOnFile | None:
    state = "open" if judgement.verdict is Verdict.NEEDS_APPROVAL else "approved"
    for approval in known.approvals:
        is_same = approval.state == state and approval.params_hash == proposal.params_hash
        is_role = state == "approved" or approval.role == judgement.role
        if is_same and is_role and approval.expires_at > proposal.at:
            return approval
    return None


def _challenge(proposal: Proposal, known: Gathered, judgement: Judgement) -> ChallengeOnFile | None:
    is_waiting = judgement.verdict is Verdict.NEEDS_STEP_UP
    for challenge in known.challenges:
        if challenge.params_hash != proposal.params_hash:
            continue
        if is_waiting and _is_answerable(challenge, proposal.at):
            return challenge
        if judgement.verdict is Verdict.PERMIT and is_satisfied(challenge, proposal.at):
            return challenge
    return None


def _is_answerable(challenge: ChallengeOnFile, at: datetime) -> bool:
    is_open = challenge.satisfied_at is None and challenge.attempts < ATTEMPTS_MAX
    # A code takes a moment to type, so a challenge about to expire is not offered again.
    return is_open and challenge.expires_at > at + timedelta(seconds=TYPING_SECONDS)
