"""The one door to Nexus: what the bank knows about a customer, since when, and from where."""

from nexus.context import (
    ContextItem,
    ContextRequest,
    ContextSnapshot,
    Omission,
    PurposeUnknown,
    context_for,
)
from nexus.events import EventNotUnderstood
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
    find_customers,
    payees_of,
)
from nexus.transactions import (
    Booking,
    BookingFilter,
    BookingPage,
    PaymentHistory,
    Spent,
    payment_history,
    spending,
    transactions,
)

__all__ = [
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
    "PurposeUnknown",
    "Spent",
    "case_graph",
    "connect",
    "context_for",
    "customer_graph",
    "customer_state",
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
