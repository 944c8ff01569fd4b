"""The one door to Sentinel: whether this may be done, by whom, under which rule, and its proof."""

from sentinel.accesses import record_access
from sentinel.approvals import (
    Approval,
    ApprovalForgotten,
    ApprovalRequest,
    ApprovalState,
    ApprovalUnknown,
    ApprovalUnsigned,
    approval_request,
    approvals_of,
    approve,
    close_approval,
    keep_approval_open,
    open_approval_requests,
)
from sentinel.approvers import (
    ApprovalAnswered,
    ApprovalBeyondMandate,
    ApprovalByDelegate,
    ApprovalByParticipant,
    ApprovalBySamePerson,
    ApprovalClosed,
    ApprovalConflict,
    ApprovalFactsMissing,
    ApprovalOtherParameters,
    ApprovalRefused,
    ApprovalTooSoon,
    ApprovalWrongRole,
)
from sentinel.authority_changes import AUTHORITY_CHANGES, authority_problem
from sentinel.authority_register import Authority, authorities, duty_conflicts
from sentinel.bundle import Evidence, NothingToExport, export_evidence, write_evidence
from sentinel.catalogue import (
    ActionKind,
    ActionKindConflict,
    ParametersRefused,
    UnknownAction,
    action_kinds,
    outside_audiences,
    register_action,
)
from sentinel.consents.doors import *  # noqa: F403  (all that it names)
from sentinel.consents.doors import __all__ as consents
from sentinel.deciding import IdempotencyConflict, decide, decide_durably
from sentinel.device_doors import *  # noqa: F403  (all that it names)
from sentinel.device_doors import __all__ as devices
from sentinel.digests import digest
from sentinel.emergency.doors import *  # noqa: F403  (all that it names)
from sentinel.emergency.doors import __all__ as emergency_doors
from sentinel.entities import (
    EntityNameRefused,
    EntityNotSet,
    LegalEntity,
    current_entity,
    legal_entities,
    legal_entity,
)
from sentinel.erasure.doors import *  # noqa: F403  (all that it names)
from sentinel.erasure.doors import __all__ as forgetting
from sentinel.explaining import (
    ExplainedApproval,
    ExplainedFact,
    ExplainedLink,
    ExplainedParameter,
    ExplainedRecord,
    ExplainedStep,
    ExplainedStepUp,
    Explanation,
    explain,
)
from sentinel.factors import (
    FactorNotShown,
    FactorUnknown,
    TotpEnrolment,
    accept_code,
    authenticator_code,
    enrol_totp,
    has_factor,
    is_code_shown,
)
from sentinel.foreseeing import Foreseen, foresee
from sentinel.gauges import Gauge, Gauges, append_plain, gauges, hash_floor, is_spent_by_me
from sentinel.genesis import GenesisRefused, install_genesis, is_genesis_done
from sentinel.governing import GovernanceRefused, govern, is_own
from sentinel.key_rotation import RotatedKey, rotate_key
from sentinel.key_views import PublicKey, json_web_keys, public_keys
from sentinel.kill_switches import KillSwitch, kill_switches
from sentinel.limits import Limit, limits_of
from sentinel.log.merkle import ProofRefused
from sentinel.log.months import LogMonth, log_months, open_months_once
from sentinel.log.note import Checkpoint
from sentinel.log.outside_witness import (
    OutsideWitness,
    WitnessUnreachable,
    ask_witnesses_once,
    outside_witnesses,
)
from sentinel.log.proofs import (
    ConsistencyProof,
    InclusionProof,
    NotSequencedYet,
    RecordNotFound,
    SignedCheckpoint,
    checkpoint_at,
    consistency_proof,
    inclusion_proof,
    latest_checkpoint,
    short_checkpoint,
)
from sentinel.log.reading import (
    LogEvent,
    LogHealth,
    RecordCheck,
    events_after,
    log_health,
    record,
    records_of,
    verify_record,
)
from sentinel.log.receipts import LogReceipt, receipt, receipts_of
from sentinel.log.records import LogRecord
from sentinel.log.sequencer import run_sequencer_once
from sentinel.log.tiles import TileDamaged, TileUnknown, read_tile
from sentinel.log.watching import watch_log_once
from sentinel.log.witness import WitnessRefused, run_witness_once
from sentinel.outcomes import (
    OpenToken,
    OutcomeRefused,
    audience_of,
    expire_tokens_once,
    open_tokens,
    outcome_of,
    outcomes_of,
    record_outcome,
)
from sentinel.policy_doors import *  # noqa: F403  (all that it names)
from sentinel.policy_doors import __all__ as rules
from sentinel.reading import (
    CursorRefused,
    DecisionFacets,
    DecisionFilter,
    DecisionPage,
    DecisionRow,
    DecisionUnknown,
    decision_facets,
    decisions,
)
from sentinel.redemption import Presented, Redemption, present, redeem
from sentinel.refusals import SentinelError
from sentinel.restoring.doors import *  # noqa: F403  (all that it names)
from sentinel.restoring.doors import __all__ as restores
from sentinel.sealing import SealBroken, SubjectForgotten, seal_for, unseal_for
from sentinel.separation import separations
from sentinel.signing.canonical import NotCanonical
from sentinel.signing.custody import Custody, SignerUnavailable
from sentinel.signing.keys import KeyRefused, Purpose
from sentinel.signing.remote.process import SignerServer, Signing
from sentinel.signing.token_keys import KEPT_OUTSIDE_SECONDS
from sentinel.spending import BudgetExhausted, Reserved, Spend, reserve_spend, settle_spend
from sentinel.step_up import (
    Challenge,
    ChallengeExpired,
    ChallengeUnknown,
    FactorReused,
    StepUpAnswer,
    StepUpRefused,
    TooManyAttempts,
    WrongFactor,
    answer_step_up,
    challenge,
)
from sentinel.store import NotInTransaction, count_written, database_time, run_statement
from sentinel.timeline import TimelineBar, decision_timeline
from sentinel.tokens import TokenRefused

__all__ = [  # noqa: PLE0604  (these names come as they are listed there)
    *consents,
    *devices,
    *emergency_doors,
    *rules,
    *forgetting,
    *restores,
    "AUTHORITY_CHANGES",
    "KEPT_OUTSIDE_SECONDS",
    "ActionKind",
    "ActionKindConflict",
    "Approval",
    "ApprovalAnswered",
    "ApprovalBeyondMandate",
    "ApprovalByDelegate",
    "ApprovalByParticipant",
    "ApprovalBySamePerson",
    "ApprovalClosed",
    "ApprovalConflict",
    "ApprovalFactsMissing",
    "ApprovalForgotten",
    "ApprovalOtherParameters",
    "ApprovalRefused",
    "ApprovalRequest",
    "ApprovalState",
    "ApprovalTooSoon",
    "ApprovalUnknown",
    "ApprovalUnsigned",
    "ApprovalWrongRole",
    "Authority",
    "BudgetExhausted",
    "Challenge",
    "ChallengeExpired",
    "ChallengeUnknown",
    "Checkpoint",
    "ConsistencyProof",
    "CursorRefused",
    "Custody",
    "DecisionFacets",
    "DecisionFilter",
    "DecisionPage",
    "DecisionRow",
    "DecisionUnknown",
    "EntityNameRefused",
    "EntityNotSet",
    "Evidence",
    "ExplainedApproval",
    "ExplainedFact",
    "ExplainedLink",
    "ExplainedParameter",
    "ExplainedRecord",
    "ExplainedStep",
    "ExplainedStepUp",
    "Explanation",
    "FactorNotShown",
    "FactorReused",
    "FactorUnknown",
    "Foreseen",
    "Gauge",
    "Gauges",
    "GenesisRefused",
    "GovernanceRefused",
    "IdempotencyConflict",
    "InclusionProof",
    "KeyRefused",
    "KillSwitch",
    "LegalEntity",
    "Limit",
    "LogEvent",
    "LogHealth",
    "LogMonth",
    "LogReceipt",
    "LogRecord",
    "NotCanonical",
    "NotInTransaction",
    "NotSequencedYet",
    "NothingToExport",
    "OpenToken",
    "OutcomeRefused",
    "OutsideWitness",
    "ParametersRefused",
    "Presented",
    "ProofRefused",
    "PublicKey",
    "Purpose",
    "RecordCheck",
    "RecordNotFound",
    "Redemption",
    "Reserved",
    "RotatedKey",
    "SealBroken",
    "SentinelError",
    "SignedCheckpoint",
    "SignerServer",
    "SignerUnavailable",
    "Signing",
    "Spend",
    "StepUpAnswer",
    "StepUpRefused",
    "SubjectForgotten",
    "TileDamaged",
    "TileUnknown",
    "TimelineBar",
    "TokenRefused",
    "TooManyAttempts",
    "TotpEnrolment",
    "UnknownAction",
    "WitnessRefused",
    "WitnessUnreachable",
    "WrongFactor",
    "accept_code",
    "action_kinds",
    "answer_step_up",
    "append_plain",
    "approval_request",
    "approvals_of",
    "approve",
    "ask_witnesses_once",
    "audience_of",
    "authenticator_code",
    "authorities",
    "authority_problem",
    "challenge",
    "checkpoint_at",
    "close_approval",
    "consistency_proof",
    "count_written",
    "current_entity",
    "database_time",
    "decide",
    "decide_durably",
    "decision_facets",
    "decision_timeline",
    "decisions",
    "digest",
    "duty_conflicts",
    "enrol_totp",
    "events_after",
    "expire_tokens_once",
    "explain",
    "export_evidence",
    "foresee",
    "gauges",
    "govern",
    "has_factor",
    "hash_floor",
    "inclusion_proof",
    "install_genesis",
    "is_code_shown",
    "is_genesis_done",
    "is_own",
    "is_spent_by_me",
    "json_web_keys",
    "keep_approval_open",
    "kill_switches",
    "latest_checkpoint",
    "legal_entities",
    "legal_entity",
    "limits_of",
    "log_health",
    "log_months",
    "open_approval_requests",
    "open_months_once",
    "open_tokens",
    "outcome_of",
    "outcomes_of",
    "outside_audiences",
    "outside_witnesses",
    "present",
    "public_keys",
    "read_tile",
    "receipt",
    "receipts_of",
    "record",
    "record_access",
    "record_outcome",
    "records_of",
    "redeem",
    "register_action",
    "reserve_spend",
    "rotate_key",
    "run_sequencer_once",
    "run_statement",
    "run_witness_once",
    "seal_for",
    "separations",
    "settle_spend",
    "short_checkpoint",
    "unseal_for",
    "verify_record",
    "watch_log_once",
    "write_evidence",
]
