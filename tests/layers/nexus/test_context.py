"""Context packages and graphs: only what a purpose permits, within a budget, with a digest."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection

import nexus.public
from tests.layers.nexus.conftest import ANNA, CLEARING, CURRENT

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 1, tzinfo=UTC)
SUBJECT = f"party:{ANNA}"


def ask(number=1, **more):
    request = nexus.public.ContextRequest(
        **{"subjects": (SUBJECT,), "purpose": "servicing", **more}
    )
    return nexus.public.context_for(request=request, snapshot_id=UUID(int=number), at=AT)


def tell(name, value, purpose_class, at=AT, number=900):
    nexus.public.record_facts(
        facts=[
            nexus.public.NewFact(
                subject=SUBJECT,
                name=name,
                value=value,
                valid_from=at,
                source="case:1",
                event_id=UUID(int=number),
                purpose_class=purpose_class,
            )
        ]
    )


def test_only_permitted_classes_are_handed_over_and_the_rest_is_named(core):
    tell("fraud_band", "high", "risk")

    snapshot = ask()

    assert {item.name for item in snapshot.items} == {"party", "account"}
    assert [(each.name, each.reason) for each in snapshot.omitted] == [
        ("fraud_band", "not_permitted_for_purpose")
    ]


def test_old_risk_facts_are_stale(core):
    tell("fraud_band", "low", "risk", at=datetime(2026, 9, 2, tzinfo=UTC))

    snapshot = ask(purpose="fraud_review")

    assert [(each.name, each.reason) for each in snapshot.omitted] == [("fraud_band", "stale")]


def test_budget_drops_the_oldest_but_never_what_is_pinned(core):
    tell("note", {"text": "x" * 400}, "communication")

    snapshot = ask(budget_characters=800, pinned=("party",))

    assert {item.name for item in snapshot.items} == {"party", "note"}
    assert {each.reason for each in snapshot.omitted} == {"over_budget"}


def test_digest_is_the_same_for_the_same_facts_and_moves_with_them(core):
    first, second = ask(1), ask(2)
    tell("note", {"text": "called"}, "communication")
    third = ask(3)

    assert first.digest == second.digest
    assert third.digest != first.digest
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest, body FROM nexus_snapshot WHERE id = %s", [first.id])
        digest, body = cursor.fetchone()
    assert digest == first.digest
    assert "Anna" not in str(body)


def test_undeclared_purpose_gets_nothing(core):
    with pytest.raises(nexus.public.PurposeUnknown):
        ask(purpose="curiosity")

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM nexus_snapshot")
        assert cursor.fetchone() == (0,)


def test_customer_graph_reaches_accounts_and_says_how(core):
    graph = nexus.public.customer_graph(customer_id=ANNA)

    assert {(e.source, e.relation) for e in graph.edges} == {(SUBJECT, "owns")}
    assert f"account:{CURRENT}" in {node.id for node in graph.nodes}
    assert not graph.is_truncated


def test_case_graph_walks_from_case_to_decision_to_effect_to_account(core):
    case, decision = UUID(int=5), UUID(int=6)
    transfer_id = core.transfer(CURRENT, CLEARING, 100, AT, decision_id=str(decision))
    nexus.public.connect(
        nodes=[nexus.public.NewNode(f"case:{case}", "case", ANNA, {"title": "Rent"})],
        edges=[
            nexus.public.NewEdge(f"case:{case}", "decided", f"decision:{decision}", AT, UUID(int=8))
        ],
    )

    graph = nexus.public.case_graph(case_id=case)

    assert graph.path_between(start=f"case:{case}", end=f"account:{CURRENT}") == (
        f"case:{case}",
        f"decision:{decision}",
        f"transfer:{transfer_id}",
        f"account:{CURRENT}",
    )
    assert graph.path_between(start=f"case:{case}", end="party:nobody") == ()
