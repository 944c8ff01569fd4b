"""A customer with two accounts, brought in as the core's events would bring them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from nexus import store
from nexus.events import read_event
from nexus.reducers import Arrived, reduce_events

ANNA = UUID(int=1)
CURRENT, SAVINGS, CLEARING = UUID(int=11), UUID(int=12), UUID(int=13)
CARD, LANDLORD = UUID(int=21), UUID(int=31)
OPENED_AT = datetime(2026, 9, 1, 9, tzinfo=UTC)


class Core:
    """Feeds Nexus with events, numbering them so that each is new unless it says otherwise."""

    def __init__(self):
        self.number = 1_000

    def send(self, event_type, at=OPENED_AT, number=None, **payload):
        self.number += 1
        event_id = UUID(int=number or self.number)
        typed = read_event(event_type=event_type, event_id=event_id, payload=payload)
        arrived = [Arrived(event_id, event_type, at, f"grand_central:1:{self.number}", typed)]
        owners = store.owners_of(accounts=[CURRENT, SAVINGS, CLEARING])
        store.write(changes=reduce_events(arrived=arrived, owners=owners))
        return event_id

    def open_account(self, account, iban, kind, party=ANNA):
        self.send(
            "account.opened",
            account_id=str(account),
            party_id=str(party) if party else None,
            iban=iban,
            kind=kind,
            currency="EUR",
            name=kind,
            opened_on="2026-09-01",
        )

    def transfer(self, debit, credit, amount, at, **more):
        transfer_id = UUID(int=self.number + 500_000)
        self.send(
            "transfer.posted",
            at=at,
            transfer_id=str(transfer_id),
            debit_account=str(debit),
            credit_account=str(credit),
            amount=amount,
            currency="EUR",
            booking_date=at.date().isoformat(),
            **more,
        )
        return transfer_id


@pytest.fixture
def core(entity):
    core = Core()
    core.send(
        "party.registered", party_id=str(ANNA), kind="person", name="Anna de Vries", city="Utrecht"
    )
    core.open_account(CURRENT, "NL01CURRENT", "customer_current")
    core.open_account(SAVINGS, "NL02SAVINGS", "customer_savings")
    core.open_account(CLEARING, "NL03CLEARING", "clearing", party=None)
    core.transfer(CLEARING, CURRENT, 300_000, datetime(2026, 9, 25, 8, tzinfo=UTC))
    return core
