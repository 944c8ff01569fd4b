"""The one door to Orchestration: what happens next, and who does it."""

from orchestration.act import MandateRefused
from orchestration.act import perform_mandate as perform
from orchestration.cases import CaseUnknown
from orchestration.dialogue.answering import CardAnswerRefused
from orchestration.dialogue.cards import Card, CardUnknown
from orchestration.dialogue.conversation import OnlyForCustomers, handle_message
from orchestration.dialogue.drafts import NotYourConversation
from orchestration.dialogue.payments import PaymentView
from orchestration.dialogue.replies import Reply
from orchestration.documents import Attachment, DocumentUnknown
from orchestration.durable.control import (
    IncidentUnknown,
    InstanceView,
    cancel,
    instance,
    pause,
    resume,
    retry,
)
from orchestration.durable.definitions import FlowUnknown
from orchestration.durable.store import InstanceUnknown
from orchestration.feed import CursorNotUnderstood, Event, events_after
from orchestration.publishing import publish_journeys
from orchestration.speaking import answer_card, start_card_block, start_payment
from orchestration.speaking import cards_of as cards
from orchestration.speaking import payments_of as payments
from orchestration.sweeping import run_due_once
from orchestration.worklist.acting import (
    TaskTaken,
    claim,
    complete,
    return_task,
    unclaim,
)
from orchestration.worklist.case_views import (
    CaseForEmployees,
    CaseRow,
    CaseView,
    DocumentView,
    HistoryLine,
    case,
    document_content,
)
from orchestration.worklist.case_views import find_cases as cases
from orchestration.worklist.evidence_items import EvidenceItem
from orchestration.worklist.forms import AnswerRefused
from orchestration.worklist.rows import TaskGone
from orchestration.worklist.views import NotYourTask, TaskFilters, TaskView, task, tasks

__all__ = [
    "AnswerRefused",
    "Attachment",
    "Card",
    "CardAnswerRefused",
    "CardUnknown",
    "CaseForEmployees",
    "CaseRow",
    "CaseUnknown",
    "CaseView",
    "CursorNotUnderstood",
    "DocumentUnknown",
    "DocumentView",
    "Event",
    "EvidenceItem",
    "FlowUnknown",
    "HistoryLine",
    "IncidentUnknown",
    "InstanceUnknown",
    "InstanceView",
    "MandateRefused",
    "NotYourConversation",
    "NotYourTask",
    "OnlyForCustomers",
    "PaymentView",
    "Reply",
    "TaskFilters",
    "TaskGone",
    "TaskTaken",
    "TaskView",
    "answer_card",
    "cancel",
    "cards",
    "case",
    "cases",
    "claim",
    "complete",
    "document_content",
    "events_after",
    "handle_message",
    "instance",
    "pause",
    "payments",
    "perform",
    "publish_journeys",
    "resume",
    "retry",
    "return_task",
    "run_due_once",
    "start_card_block",
    "start_payment",
    "task",
    "tasks",
    "unclaim",
]
