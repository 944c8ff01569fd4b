"""The one door to Orchestration: what happens next, and who does it."""

from orchestration.act import MandateRefused
from orchestration.act import perform_mandate as perform
from orchestration.bpmn import DrawingRefused
from orchestration.cases import CaseUnknown
from orchestration.dialogue.cards import Card, CardUnknown
from orchestration.dialogue.conversation import OnlyForCustomers, handle_message
from orchestration.dialogue.drafts import NotYourConversation
from orchestration.dialogue.payments import PaymentView
from orchestration.dialogue.proving import CardAnswerRefused, passkey_request
from orchestration.dialogue.replies import Reply
from orchestration.dmn.errors import ModelRefused
from orchestration.documents import Attachment, DocumentUnknown
from orchestration.durable.control import (
    IncidentUnknown,
    InstanceEnded,
    InstanceView,
    cancel,
    instance,
    pause,
    resume,
    retry,
)
from orchestration.durable.definitions import FlowUnknown
from orchestration.durable.incidents import OpenIncident, incidents
from orchestration.durable.interventions import (
    Intervention,
    change_instance,
    pass_over,
)
from orchestration.durable.large_values import ValueTooLarge
from orchestration.durable.mass import NewRun, begin_flows
from orchestration.durable.messages import (
    MessageConflict,
    MessageReceipt,
    broadcast_signal,
    publish_message,
)
from orchestration.durable.proving import HistoryProof, prove_histories_once, prove_history
from orchestration.durable.putting_right import InterventionRefused
from orchestration.durable.starting import StartConflict
from orchestration.durable.store import InstanceUnknown
from orchestration.effects.carrying import carry_effects_here, carry_effects_once
from orchestration.effects.held import HeldEffect, held_effects
from orchestration.effects.journal import EffectLine, EffectTry, effects_of
from orchestration.evidence import payment_facts
from orchestration.feed import CursorNotUnderstood, Event, events_after
from orchestration.flow_doors import *  # noqa: F403  (all that it names)
from orchestration.governance_doors import *  # noqa: F403  (all that it names)
from orchestration.operating.effect_list import EFFECT_STATES, EffectRow, effect_rows
from orchestration.operating.machinery import (
    QueueRow,
    StreamRow,
    TriggerRow,
    queue_rows,
    stream_rows,
    trigger_rows,
)
from orchestration.operating.queues import (
    QueueChange,
    QueueChangeRefused,
    QueueSetting,
    ask_queue_change,
    check_queue_change,
    queue_changes,
    queue_setting,
)
from orchestration.operating.releasing import agree_to_release, release_held
from orchestration.operating.role import OperationsOnly
from orchestration.operating.run_page import (
    IncidentView,
    RelatedRun,
    RunPage,
    run_page,
    runs_of_case,
)
from orchestration.operating.running import (
    RunCounts,
    RunFilters,
    RunRow,
    running_counts,
    running_work,
)
from orchestration.operating.steering import MoveRefused, ReasonRefused, steer
from orchestration.operating.telling import RunLine
from orchestration.operating.waiting import WaitView
from orchestration.planning.checking import Fault, PlanRefused
from orchestration.planning.counting import TooManyPlans, count_plan
from orchestration.planning.running import follow_plans_once
from orchestration.program_doors import *  # noqa: F403  (all that it names)
from orchestration.publishing import RuleFinding, publish_journeys, rule_findings
from orchestration.raised_cases import raise_case
from orchestration.speaking import answer_card, propose_plan, start_card_block, start_payment
from orchestration.speaking import cards_of as cards
from orchestration.speaking import payments_of as payments
from orchestration.spoken import spoken_words
from orchestration.sweeping import run_due_here, run_due_once
from orchestration.triggers.batch_doors import (
    BatchKind,
    BatchRefusal,
    BatchView,
    batch_failures,
    batch_figures,
    batch_items,
    batch_kinds,
    batch_moves,
    batch_refusals,
    batch_run,
    batch_runs,
    load_batch,
)
from orchestration.triggers.batch_drops import take_files_once
from orchestration.triggers.batch_files import FileNotUnderstood
from orchestration.triggers.batch_items import ItemState
from orchestration.triggers.batch_rows import BatchMove
from orchestration.triggers.batch_steering import BatchUnknown, steer_batch
from orchestration.triggers.batches import run_batches_once
from orchestration.triggers.changes import follow_changes_once
from orchestration.triggers.content import TriggerRefusedAtPublish
from orchestration.triggers.doors import (
    RefusalView,
    RunView,
    TriggerView,
    message_by_api,
    pause_trigger,
    receive_message,
    receive_webhook,
    require_right,
    resume_trigger,
    start_by_api,
    triggers,
)
from orchestration.triggers.mail import take_mail_once
from orchestration.triggers.receiving import DeliveryRefused, Received, TriggerUnknown
from orchestration.triggers.schedules import run_schedules_once
from orchestration.triggers.streams import StreamFigures, stream_figures
from orchestration.worklist.acting import (
    TaskTaken,
    claim,
    complete,
    return_task,
    unclaim,
)
from orchestration.worklist.calendars import CalendarRefused
from orchestration.worklist.case_views import (
    CaseForEmployees,
    CaseRow,
    CaseView,
    DocumentView,
    HistoryLine,
    case,
    document_content,
    may_open_case,
)
from orchestration.worklist.case_views import find_cases as cases
from orchestration.worklist.clocks import set_calendar
from orchestration.worklist.colleagues import Colleague, colleagues, could_take, teams
from orchestration.worklist.delegating import DelegationRefused, delegate
from orchestration.worklist.discussing import AttachmentRefused, attach, comment
from orchestration.worklist.evidence_items import EvidenceItem
from orchestration.worklist.forms import AnswerRefused
from orchestration.worklist.notices import (
    Notice,
    NoticeUnknown,
    notices,
    notify_once,
    see_notice,
)
from orchestration.worklist.presence import hours_in_words
from orchestration.worklist.readers import (
    NotForYourRole,
    readable_customers,
)
from orchestration.worklist.readers import require_customer as require_customer_reader
from orchestration.worklist.rows import TaskGone
from orchestration.worklist.shifts import WorkingHoursRefused, set_working_hours, sign_off
from orchestration.worklist.signing import approval_passkey_request, is_passkey_needed
from orchestration.worklist.staff import (
    Absence,
    AbsenceRefused,
    NewWorker,
    absences,
    end_absence,
    enlist,
    enter_absence,
)
from orchestration.worklist.views import NotYourTask, TaskFilters, TaskView, task, tasks

__all__ = [
    "EFFECT_STATES",
    "Absence",
    "AbsenceRefused",
    "AnswerRefused",
    "Attachment",
    "AttachmentRefused",
    "BatchKind",
    "BatchMove",
    "BatchRefusal",
    "BatchUnknown",
    "BatchView",
    "CalendarRefused",
    "Card",
    "CardAnswerRefused",
    "CardUnknown",
    "CaseForEmployees",
    "CaseRow",
    "CaseUnknown",
    "CaseView",
    "Colleague",
    "CursorNotUnderstood",
    "DelegationRefused",
    "DeliveryRefused",
    "DocumentUnknown",
    "DocumentView",
    "DrawingRefused",
    "EffectLine",
    "EffectRow",
    "EffectTry",
    "Event",
    "EvidenceItem",
    "Fault",
    "FileNotUnderstood",
    "FlowUnknown",
    "HeldEffect",
    "HistoryLine",
    "HistoryProof",
    "IncidentUnknown",
    "IncidentView",
    "InstanceEnded",
    "InstanceUnknown",
    "InstanceView",
    "Intervention",
    "InterventionRefused",
    "ItemState",
    "MandateRefused",
    "MessageConflict",
    "MessageReceipt",
    "ModelRefused",
    "MoveRefused",
    "NewRun",
    "NewWorker",
    "NotForYourRole",
    "NotYourConversation",
    "NotYourTask",
    "Notice",
    "NoticeUnknown",
    "OnlyForCustomers",
    "OpenIncident",
    "OperationsOnly",
    "PaymentView",
    "PlanRefused",
    "QueueChange",
    "QueueChangeRefused",
    "QueueRow",
    "QueueSetting",
    "ReasonRefused",
    "Received",
    "RefusalView",
    "RelatedRun",
    "Reply",
    "RuleFinding",
    "RunCounts",
    "RunFilters",
    "RunLine",
    "RunPage",
    "RunRow",
    "RunView",
    "StartConflict",
    "StreamFigures",
    "StreamRow",
    "TaskFilters",
    "TaskGone",
    "TaskTaken",
    "TaskView",
    "TooManyPlans",
    "TriggerRefusedAtPublish",
    "TriggerRow",
    "TriggerUnknown",
    "TriggerView",
    "ValueTooLarge",
    "WaitView",
    "WorkingHoursRefused",
    "absences",
    "agree_to_release",
    "answer_card",
    "approval_passkey_request",
    "ask_queue_change",
    "attach",
    "batch_failures",
    "batch_figures",
    "batch_items",
    "batch_kinds",
    "batch_moves",
    "batch_refusals",
    "batch_run",
    "batch_runs",
    "begin_flows",
    "broadcast_signal",
    "cancel",
    "cards",
    "carry_effects_here",
    "carry_effects_once",
    "case",
    "cases",
    "change_instance",
    "check_queue_change",
    "claim",
    "colleagues",
    "comment",
    "complete",
    "could_take",
    "count_plan",
    "delegate",
    "document_content",
    "effect_rows",
    "effects_of",
    "end_absence",
    "enlist",
    "enter_absence",
    "events_after",
    "follow_changes_once",
    "follow_plans_once",
    "handle_message",
    "held_effects",
    "hours_in_words",
    "incidents",
    "instance",
    "is_passkey_needed",
    "load_batch",
    "may_open_case",
    "message_by_api",
    "notices",
    "notify_once",
    "pass_over",
    "passkey_request",
    "pause",
    "pause_trigger",
    "payment_facts",
    "payments",
    "perform",
    "propose_plan",
    "prove_histories_once",
    "prove_history",
    "publish_journeys",
    "publish_message",
    "queue_changes",
    "queue_rows",
    "queue_setting",
    "raise_case",
    "readable_customers",
    "receive_message",
    "receive_webhook",
    "release_held",
    "require_customer_reader",
    "require_right",
    "resume",
    "resume_trigger",
    "retry",
    "return_task",
    "rule_findings",
    "run_batches_once",
    "run_due_here",
    "run_due_once",
    "run_page",
    "run_schedules_once",
    "running_counts",
    "running_work",
    "runs_of_case",
    "see_notice",
    "set_calendar",
    "set_working_hours",
    "sign_off",
    "spoken_words",
    "start_by_api",
    "start_card_block",
    "start_payment",
    "steer",
    "steer_batch",
    "stream_figures",
    "stream_rows",
    "take_files_once",
    "take_mail_once",
    "task",
    "tasks",
    "teams",
    "trigger_rows",
    "triggers",
    "unclaim",
]
