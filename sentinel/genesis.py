"""Genesis: the one moment at which a legal entity's rules come into force without a second person.

An empty log accepts one genesis record; the database has a unique index that says so. Everything
after it is proposed by one person and published by another.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from sentinel.entities import LegalEntity, legal_entity, register_legal_entity
from sentinel.limits import DEFAULTS, write_first_limit
from sentinel.log.records import append
from sentinel.policy.bundles import Bundle
from sentinel.policy.publishing import publish_at_genesis
from sentinel.refusals import SentinelError
from sentinel.separation import FIRST_PAIRS, write_first_pair
from sentinel.signing.keys import Purpose, signer_for
from sentinel.vocabulary import Money, Principal


class GenesisRefused(SentinelError):
    """The log of this legal entity has begun; what follows needs two people."""

    code = "genesis_refused"

    def __init__(self, entity: str) -> None:
        super().__init__(entity)
        self.entity = entity


def install_genesis(
    *,
    entity: LegalEntity,
    bundles: Sequence[Bundle],
    at: datetime,
    caps: Mapping[str, int] | None = None,
) -> None:
    """Register a legal entity and put its first keys, rules and limits in force, once.

    `caps` are limits in minor units of the entity's currency, by name; without it the defaults.

    Raises:
        GenesisRefused: the log of this entity is not empty.
        BundleRefused: the bundles cannot be in force together.
    """
    by = Principal("system:genesis", "system", "", entity.entity)
    with legal_entity(entity=entity.entity), transaction.atomic():
        if is_genesis_done(entity=entity.entity):
            raise GenesisRefused(entity.entity)
        register_legal_entity(registered=entity)
        body = {
            "bundles": sorted(bundle.digest for bundle in bundles),
            "country": entity.country,
            "currency": entity.currency,
            "keys": _key_ids(entity.entity),
            "name": entity.name,
        }
        with connection.cursor() as cursor:
            append(cursor, kind="genesis", body=body)
        publish_at_genesis(bundles, by, at)
        for name, cap in (caps or DEFAULTS).items():
            write_first_limit(name, Money(cap, entity.currency), at=at)
        for pair in FIRST_PAIRS:
            write_first_pair(*pair)


def is_genesis_done(*, entity: str) -> bool:
    """Return whether the log of a legal entity has begun."""
    with legal_entity(entity=entity), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM sentinel_record)")
        return bool(cursor.fetchone()[0])


def _key_ids(entity: str) -> dict[str, str]:
    """Return the thumbprint of each of the entity's keys, making those that are missing."""
    folder = Path(settings.KEYS_DIR)
    return {
        purpose.value: signer_for(folder=folder, entity=entity, purpose=purpose).kid
        for purpose in (Purpose.TOKEN, Purpose.LOG, Purpose.POLICY)
    }
