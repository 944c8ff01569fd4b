"""The one door to Nexus: what the bank knows about a customer, since when, and from where."""

from nexus.context import (
    PURPOSES,
    ContextItem,
    ContextRequest,
    ContextSnapshot,
    Omission,
    PurposeUnknown,
    context_for,
)
from nexus.events import EventNotUnderstood, PostedTransfer
from nexus.facts import Fact, facts_of, record_facts
from nexus.feed import CustomerChange, PositionNotUnderstood
from nexus.feed import changes_after as events_after
from nexus.graph import (
    GraphEdge,
    GraphNode,
    Neighbourhood,
    case_graph,
    connect,
    customer_graph,
)
from nexus.ingest import IngestReport, ingest_once
from nexus.ingest import ingested_position as position
from nexus.reducers import NewEdge, NewFact, NewNode
from nexus.state import (
    AccountView,
    CardView,
    CustomerState,
    CustomerUnknown,
    PayeeView,
    customer_state,
    customers_at,
    find_customers,
    payees_of,
)
from nexus.transactions import (
    Booking,
    BookingFilter,
    BookingPage,
    PaymentHistory,
    Spent,
    booking_of,
    payment_history,
    spending,
    transactions,
)

__all__ = [
    "PURPOSES",
    "AccountView",
    "Booking",
    "BookingFilter",
    "BookingPage",
    "CardView",
    "ContextItem",
    "ContextRequest",
    "ContextSnapshot",
    "CustomerChange",
    "CustomerState",
    "CustomerUnknown",
    "EventNotUnderstood",
    "Fact",
    "GraphEdge",
    "GraphNode",
    "IngestReport",
    "Neighbourhood",
    "NewEdge",
    "NewFact",
    "NewNode",
    "Omission",
    "PayeeView",
    "PaymentHistory",
    "PositionNotUnderstood",
    "PostedTransfer",
    "PurposeUnknown",
    "Spent",
    "booking_of",
    "case_graph",
    "connect",
    "context_for",
    "customer_graph",
    "customer_state",
    "customers_at",
    "events_after",
    "facts_of",
    "find_customers",
    "ingest_once",
    "payees_of",
    "payment_history",
    "position",
    "record_facts",
    "spending",
    "transactions",
]
