"""Bundles in force: proposed by one person, published by another, signed, effective from a date."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from sentinel.catalogue import action_kinds
from sentinel.entities import current_entity
from sentinel.log.records import append
from sentinel.policy.bundles import Bundle, BundleRefused, bank_bundle, bundle_from_text
from sentinel.policy.engine import Rules, compile_rules
from sentinel.refusals import SentinelError
from sentinel.signing.canonical import encode
from sentinel.signing.keys import Purpose, is_signature_valid, public_keys, signer_for
from sentinel.vocabulary import Principal

_IN_FORCE = """
SELECT DISTINCT ON (p.area) p.digest, b.content, p.kid, p.signature, p.area, p.effective_from
FROM sentinel_publication p JOIN sentinel_bundle b USING (entity, digest)
WHERE p.effective_from <= coalesce(%s::timestamptz, clock_timestamp())
ORDER BY p.area, p.effective_from DESC, p.position DESC
"""


class SamePerson(SentinelError):
    """Whoever proposed this may not publish it: two people must have looked."""

    code = "same_person"


class ProposalUnknown(SentinelError):
    """No bundle of this digest has been proposed."""

    code = "proposal_unknown"

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


def propose_bundle(*, bundle: Bundle, maker: Principal) -> str:
    """Keep a bundle for somebody else to publish, and return its digest.

    Raises:
        BundleRefused: it could not be in force together with the others.
    """
    compile_rules([*_others(bundle), bundle], action_kinds())
    _keep(bundle, maker.id, maker.person_id)
    return bundle.digest


def publish_bundle(*, digest: str, checker: Principal, effective_from: datetime) -> None:
    """Sign a proposed bundle and put it in force from a moment on.

    Raises:
        ProposalUnknown: there is none of this digest.
        SamePerson: the checker is the person who proposed it.
        BundleRefused: it could not be in force together with the others.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT content, maker_person FROM sentinel_bundle WHERE digest = %s", [digest]
        )
        row = cursor.fetchone()
        if row is None:
            raise ProposalUnknown(digest)
        if checker.person_id == row[1] or not checker.person_id:
            raise SamePerson
        bundle = bundle_from_text(row[0])
        compile_rules([*_others(bundle), bundle], action_kinds())
        _publish(bundle, row[1], checker, effective_from, is_genesis=False)


def publish_at_genesis(bundles: Sequence[Bundle], by: Principal, at: datetime) -> None:
    """Put the first bundles in force, together; only the genesis of an entity does this.

    Raises:
        BundleRefused: they cannot be in force together.
    """
    compile_rules(bundles, action_kinds())
    for bundle in bundles:
        _keep(bundle, by.id, by.person_id)
        _publish(bundle, by.person_id, by, at, is_genesis=True)


def rules_in_force(entity: str, mark: str, at: datetime) -> Rules:
    """Return the rules in force at a moment; `mark` changes whenever another set is.

    Raises:
        BundleRefused: there are none, or one was altered or not signed by the bank's policy key.
    """
    known = _compiled.get(entity)
    if known is not None and known[0] == mark:
        return known[1]
    rules = _load(entity, at)
    _compiled[entity] = (mark, rules)
    return rules


def bundles_in_force(at: datetime | None) -> list[Bundle]:
    """Return the bundles in force at a moment or now, each checked against digest and signature.

    Raises:
        BundleRefused: one was altered or is not signed by the bank's policy key.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [at])
        return [_checked(*row) for row in cursor.fetchall()]


def roles_in_force() -> frozenset[str]:
    """Return every role the policies in force may speak of; without any, those Sentinel ships with.

    Raises:
        BundleRefused: one was altered or is not signed by the bank's policy key.
    """
    bundles = bundles_in_force(None) or [bank_bundle()]
    return frozenset().union(*(each.content.registry.roles for each in bundles))


def forget_compiled() -> None:
    """Compile the rules anew when they are next asked for."""
    _compiled.clear()
    _rules_of.cache_clear()


_compiled: dict[str, tuple[str, Rules]] = {}


def _load(entity: str, at: datetime) -> Rules:
    bundles = bundles_in_force(at)
    if not bundles:
        raise BundleRefused(entity, ("no bundle is in force",))
    return _rules_of(tuple(bundle.text for bundle in bundles), tuple(action_kinds()))


@lru_cache(maxsize=8)
def _rules_of(texts: tuple[str, ...], kinds: tuple[object, ...]) -> Rules:
    return compile_rules([bundle_from_text(text) for text in texts], action_kinds())


def _checked(
    digest: str, content: str, kid: str, signature: bytes, area: str, effective_from: datetime
) -> Bundle:
    bundle = bundle_from_text(content)
    keys = public_keys(
        folder=Path(settings.KEYS_DIR), entity=current_entity(), purpose=Purpose.POLICY
    )
    message = _message(bundle, effective_from)
    is_whole = bundle.digest == digest and bundle.content.area == area and kid in keys
    if not is_whole or not is_signature_valid(
        public_bytes=keys[kid], signature=bytes(signature), message=message
    ):
        raise BundleRefused(area, ("the stored bundle was altered or is not signed by us",))
    return bundle


def _others(bundle: Bundle) -> list[Bundle]:
    """Return the newest published bundle of every other area, also those not yet in force."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, ["infinity"])
        rows = [_checked(*row) for row in cursor.fetchall()]
    return [other for other in rows if other.content.area != bundle.content.area]


def _keep(bundle: Bundle, maker: str, maker_person: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_bundle (digest, area, content, maker, maker_person)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [bundle.digest, bundle.content.area, bundle.text, maker, maker_person],
        )


def _publish(
    bundle: Bundle, maker: str, checker: Principal, effective_from: datetime, *, is_genesis: bool
) -> None:
    entity = current_entity()
    signer = signer_for(folder=Path(settings.KEYS_DIR), entity=entity, purpose=Purpose.POLICY)
    signature = signer.sign(_message(bundle, effective_from))
    body = {
        "area": bundle.content.area,
        "bundle": bundle.digest,
        "checker": checker.id,
        "effective_from": effective_from.isoformat(),
        "kid": signer.kid,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_publication (area, digest, is_genesis, maker_person, checker,"
            " checker_person, kid, signature, effective_from)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                bundle.content.area,
                bundle.digest,
                is_genesis,
                maker,
                checker.id,
                checker.person_id,
                signer.kid,
                signature,
                effective_from,
            ],
        )
        append(cursor, kind="publication", body=body)


def _message(bundle: Bundle, effective_from: datetime) -> bytes:
    moment = round(effective_from.timestamp() * 1_000_000)
    said = {"bundle": bundle.digest, "entity": current_entity(), "effective_from_us": str(moment)}
    return encode("policy-publication", said)
