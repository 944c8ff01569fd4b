"""`manage.py seed`: the sample bank, the same for the same seed; a second run changes nothing."""

from datetime import UTC, datetime
from time import monotonic

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.sample import seeding
from deploy.sample.people import customers_of
from deploy.sample.story import MERIDIAN_NL
from deploy.sample.unusual import make_unusual_payments

CUSTOMERS_MIN = 3
CUSTOMERS_MAX = 5_000
# A small sample is for trying one thing; the whole one has something for every desk.
UNUSUAL_FROM_CUSTOMERS = 20
UNUSUAL_CUSTOMER = 4


class Command(BaseCommand):
    help = "Make the sample bank: customers, accounts, cards, payees, two years of bookings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=40)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *, customers: int, seed: int, **_options: object) -> None:
        if not CUSTOMERS_MIN <= customers <= CUSTOMERS_MAX:
            raise CommandError(f"--customers must be between {CUSTOMERS_MIN} and {CUSTOMERS_MAX}.")
        began = monotonic()
        seeding.seed(
            customers=customers,
            number=seed,
            at=datetime.now(UTC),
            say=lambda words: self.stdout.write(f"  {words}"),
        )
        if customers >= UNUSUAL_FROM_CUSTOMERS:
            person = customers_of(MERIDIAN_NL, customers, seed)[UNUSUAL_CUSTOMER]
            make_unusual_payments(
                customer_id=person.party_id,
                at=datetime.now(UTC),
                say=lambda words: self.stdout.write(f"  {words}"),
            )
        self.stdout.write(f"  the sample bank is ready after {monotonic() - began:.1f} s")
