"""Through the gateway with real permits: each operation once, refusals typed, outcomes recorded."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.db import connection, transaction

import grand_central.public
import orchestration.public
from grand_central.connectors.catalogue import CORE, OUTSIDE, ROUTES, routes_of
from grand_central.connectors.contract import (
    Capability,
    ConnectorRefused,
    check_manifest,
)
from grand_central.operations.catalogue import OPERATIONS
from grand_central.public import AccountItem, CardItem, PartyItem, PayeeItem, PostingItem
from sentinel.public import TokenRefused, decide, outcome_of
from sentinel.vocabulary import Action, OutcomeKind, Provenance, Source, Verdict
from tests.authority import found_bank, now, system

ENTITY = "meridian-nl"
DAY = date(2026, 11, 20)
LANDLORD = "NL91ABNA0417164300"


def perform(kind, parameters, payload=None, key=None, mandate="seed"):
    return orchestration.public.perform(
        mandate=mandate,
        kind=kind,
        parameters=parameters,
        resource=f"bank:{ENTITY}",
        payload=payload,
        idempotency_key=key or str(uuid4()),
        at=datetime.now(UTC),
    )


def batch(kind, items, key=None, **more):
    lines = tuple(item.line() for item in items)
    parameters = {
        "batch_id": str(uuid4()),
        "items_root": grand_central.public.items_root(lines=lines),
        "count": len(lines),
        **more,
    }
    return perform(kind, parameters, lines, key)


class Opened:
    """A bank opened through the gateway: a customer with an account, a card and money."""

    def __init__(self):
        self.party, self.account, self.card = uuid4(), uuid4(), uuid4()
        self.clearing, self.equity = uuid4(), uuid4()
        perform(
            "bank.open",
            {
                "name": "Meridian Bank",
                "country": "NL",
                "bank_code": "MRDN",
                "currency": "EUR",
                "business_date": DAY.isoformat(),
            },
        )
        batch("parties.register", [self._party()])
        batch(
            "accounts.open",
            [
                self._account(self.clearing, "clearing", None, 1),
                self._account(self.equity, "equity", None, 2),
                self._account(self.account, "customer_current", self.party, 3),
            ],
        )
        card = CardItem(self.card, self.party, self.account, "1234", "debit", "Debit", DAY)
        batch("cards.issue", [card])
        self.post(self.equity, self.account, 100_00)

    def _party(self):
        return PartyItem(
            self.party, "person", "Anna de Vries", "Anna", "de Vries", date(1990, 5, 1), "", "",
            "Lindenlaan 1", "3511 AB", "Utrecht", "NL", "retail",
        )  # fmt: skip

    @staticmethod
    def _account(account, kind, party, number):
        iban = grand_central.public.iban_of(
            country="NL", bank_code="MRDN", account=f"{number:010d}"
        )
        holder = "Anna de Vries" if party else "Meridian Bank"
        flags = 1 if party else 0
        return AccountItem(account, iban, 1, "EUR", kind, kind, holder, party, flags, DAY)

    @staticmethod
    def post(debit, credit, amount, key=None, **more):
        item = PostingItem(uuid4(), debit, credit, amount, "EUR", **more)
        total = {"minor_units": amount, "currency": "EUR"}
        return batch("ledger.post_batch", [item], key, total=total)


@pytest.fixture
def bank(entity):
    found_bank()
    return Opened()


def events():
    """All events written in this test's own transaction, which no feed gives out yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT type FROM gc_outbox ORDER BY position")
        return [row[0] for row in cursor]


def test_a_bank_opens_through_the_gateway_and_balances(bank):
    assert grand_central.public.balance_of(account_id=bank.account).booked.minor_units == 100_00
    assert grand_central.public.prove_balances().is_balanced
    assert grand_central.public.business_date() == DAY
    assert events() == [
        "party.registered",
        "account.opened",
        "account.opened",
        "account.opened",
        "card.issued",
        "transfer.posted",
    ]


def test_invariant_03_the_same_key_does_it_once_and_returns_the_first_outcome(bank):
    item = PostingItem(uuid4(), bank.equity, bank.account, 5, "EUR")
    lines = (item.line(),)
    parameters = {
        "batch_id": str(uuid4()),
        "items_root": grand_central.public.items_root(lines=lines),
        "count": 1,
        "total": {"minor_units": 5, "currency": "EUR"},
    }

    first = perform("ledger.post_batch", parameters, lines, "k-1")
    again = perform("ledger.post_batch", parameters, lines, "k-1")

    assert first == again
    assert first.kind is OutcomeKind.DONE
    assert grand_central.public.balance_of(account_id=bank.account).booked.minor_units == 100_05
    assert grand_central.public.outcome_of(idempotency_key="k-1").reference == first.reference


def test_lines_other_than_the_permitted_ones_are_refused_and_nothing_moves(bank):
    item = PostingItem(uuid4(), bank.equity, bank.account, 5, "EUR")
    other = PostingItem(uuid4(), bank.equity, bank.account, 6, "EUR")
    parameters = {
        "batch_id": str(uuid4()),
        "items_root": grand_central.public.items_root(lines=(item.line(),)),
        "count": 1,
        "total": {"minor_units": 5, "currency": "EUR"},
    }

    for payload, code in (
        ((other.line(),), "no_redemption"),
        ((item.line(), item.line()), "payload_refused"),
        (None, "payload_missing"),
        ([item.line()], "payload_missing"),
    ):
        with pytest.raises(grand_central.public.CoreRefused) as refused:
            perform("ledger.post_batch", parameters, payload)
        assert refused.value.code == code
        assert refused.value.words

    assert grand_central.public.balance_of(account_id=bank.account).booked.minor_units == 100_00


def test_a_refusal_of_the_core_is_on_record(bank):
    with pytest.raises(grand_central.public.CoreRefused):
        batch(
            "ledger.post_batch",
            [PostingItem(uuid4(), bank.equity, bank.account, 5, "EUR")],
            count=3,
            total={"minor_units": 5, "currency": "EUR"},
        )

    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, code FROM sentinel_outcome WHERE kind <> 'done'")
        assert cursor.fetchall() == [("failed", "payload_refused")]


def test_a_payee_is_kept_and_a_card_is_blocked_once(bank):
    payee = PayeeItem(uuid4(), bank.party, "Hendriks", LANDLORD, DAY, is_trusted=False)
    batch("payees.import", [payee])
    added = perform("payees.add", {"party_id": str(bank.party), "name": "H", "iban": LANDLORD})

    assert added.code == "exists"
    assert events().count("payee.added") == 1


def test_a_message_lands_in_the_mailbox_of_the_simulator(bank):
    recipient = f"customer:{bank.party}"
    parameters = {"recipient": recipient, "template": "payment_made", "case": None}

    perform("messages.send", parameters, mandate="journeys")

    (message,) = grand_central.public.mailbox(recipient=recipient)
    assert message.template == "payment_made"
    assert message.subject == "Payment made"
    assert grand_central.public.mailbox(recipient=f"customer:{uuid4()}") == ()


def permitted(parameters, kind="messages.send"):
    action = Action(
        kind=kind,
        parameters=parameters,
        resource=f"bank:{ENTITY}",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources={name: Source(Provenance.SYSTEM, "test") for name in parameters},
    )
    decision = decide(
        action=action,
        principal=system("journeys"),
        facts=(),
        purpose="notification",
        at=now(),
    )
    assert decision.verdict is Verdict.PERMIT
    return action, decision


def test_invariant_01_the_gateway_acts_on_a_redeemed_token_only(bank):
    parameters = {"recipient": f"customer:{bank.party}", "template": "welcome", "case": None}
    action, decision = permitted(parameters)
    changed = Action(
        action.kind,
        {**parameters, "template": "payment_made"},
        action.resource,
        action.case_id,
        action.idempotency_key,
        action.sources,
    )

    with pytest.raises(TokenRefused) as refused, transaction.atomic():
        grand_central.public.execute(action=changed, token=decision.token)
    assert refused.value.reason == "other_parameters"
    assert grand_central.public.mailbox(recipient=parameters["recipient"]) == ()

    grand_central.public.execute(action=action, token=decision.token)
    with pytest.raises(TokenRefused) as spent, transaction.atomic():
        grand_central.public.execute(action=action, token=decision.token)

    assert spent.value.reason == "spent"
    assert len(grand_central.public.mailbox(recipient=parameters["recipient"])) == 1
    assert outcome_of(decision_id=decision.id).kind is OutcomeKind.DONE


def test_invariant_03_an_effect_and_its_redemption_are_kept_or_undone_together(bank):
    parameters = {"recipient": f"customer:{bank.party}", "template": "welcome", "case": None}
    action, decision = permitted(parameters)

    with transaction.atomic():
        grand_central.public.execute(action=action, token=decision.token)
        transaction.set_rollback(True)
    undone = grand_central.public.mailbox(recipient=parameters["recipient"])
    was_open = outcome_of(decision_id=decision.id) is None
    grand_central.public.execute(action=action, token=decision.token)

    assert (undone, was_open) == ((), True)
    assert len(grand_central.public.mailbox(recipient=parameters["recipient"])) == 1


def test_invariant_01_an_operation_outside_the_catalogue_reaches_nobody(bank):
    _, decision = permitted(
        {"recipient": f"customer:{bank.party}", "template": "welcome", "case": None}
    )
    unknown = Action("messages.broadcast", {}, "bank:x", uuid4(), "k", {})

    with pytest.raises(grand_central.public.OperationUnknown):
        grand_central.public.execute(action=unknown, token=decision.token)
    assert set(ROUTES) | set(OUTSIDE) == {entry.kind for entry in OPERATIONS}
    assert not set(ROUTES) & set(OUTSIDE)


def test_a_connector_that_could_act_twice_is_not_registered():
    manifest = replace(
        CORE.manifest, capabilities=(Capability("payments.transfer", "money", "none"),)
    )

    with pytest.raises(ConnectorRefused):
        check_manifest(manifest)


def test_two_connectors_cannot_serve_one_operation():
    with pytest.raises(ConnectorRefused):
        routes_of((CORE, CORE))


def test_an_operation_nobody_serves_is_noticed_at_the_start():
    with pytest.raises(ConnectorRefused):
        routes_of((CORE,))


def test_names_are_checked_here_and_at_other_banks(bank):
    own = grand_central.public.iban_of(country="NL", bank_code="MRDN", account="0000000003")
    unknown = grand_central.public.iban_of(country="NL", bank_code="MRDN", account="0000000099")
    check = grand_central.public.check_payee_name
    grand_central.public.teach_scheme(
        names=[grand_central.public.RegisteredName(LANDLORD, "Hendriks B.V.", is_organisation=True)]
    )

    assert check(iban=own, name="A. de Vries").result == "close"
    assert check(iban=own, name="A. de Vries").matched_name_masked == "A. de Vries"
    assert check(iban=unknown, name="Anna").result == "mismatch"
    assert check(iban=LANDLORD, name="Hendriks").result == "match"
    assert check(iban="NL02ABNA0123456789", name="Hendriks").result == "unavailable"

    grand_central.public.set_scheme_available(is_available=False)

    assert check(iban=LANDLORD, name="Hendriks").result == "unavailable"
    assert check(iban=own, name="Anna de Vries").result == "match"


def test_screening_needs_a_list_and_names_the_version_in_force(bank, tmp_path):
    with pytest.raises(grand_central.public.NoListLoaded):
        grand_central.public.screen(name="Bob Jansen", country="NL", at=now())
    for version, name in (("1", "Tarquel Obendrik"), ("2", "Quillan Vasterbrook")):
        path = tmp_path / f"{version}.csv"
        path.write_text(f"id,name,kind,programme\ns-{version},{name},person,P\n")
        published = grand_central.public.read_list(path=path, title="Sample", is_sample=True)
        parameters = {"name": "s", "version": version, "digest": published.digest, "count": 1}
        perform("screening.load", parameters, published.lines)

    gone = grand_central.public.screen(name="Tarquel Obendrik", country="NL", at=now())
    found = grand_central.public.screen(name="Vasterbrook, Quillan", country="NL", at=now())

    assert (gone.status, gone.list_version) == ("clear", "2")
    assert found.status == "hit"
    assert found.candidates[0].entry_id == "s-2"
    assert "100%" not in found.candidates[0].reason
    (in_force,) = grand_central.public.screening_lists()
    assert (in_force.version, in_force.entries, in_force.is_sample) == ("2", 1, True)


def test_a_list_other_than_the_announced_one_is_refused(bank, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("id,name,kind,programme\ns-1,Tarquel Obendrik,person,P\n")
    published = grand_central.public.read_list(path=path, title="Sample")
    parameters = {"name": "s", "version": "1", "digest": "0" * 64, "count": 1}

    with pytest.raises(grand_central.public.CoreRefused) as refused:
        perform("screening.load", parameters, published.lines)

    assert refused.value.code == "list_refused"
    assert grand_central.public.screening_lists() == ()


def test_the_business_date_moves_forward_only_and_not_into_the_future(bank):
    today = datetime.now(UTC).date()

    assert grand_central.public.roll_business_date(to=date(2026, 11, 1)) == DAY
    assert grand_central.public.roll_business_date(to=date(2999, 1, 1)) == DAY
    assert grand_central.public.roll_business_date(to=max(today, DAY)) == max(today, DAY)
