"""Bundles in force: proposed by one person, published by another, signed, effective from a date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

from sentinel.catalogue import action_kinds
from sentinel.entities import current_entity
from sentinel.log.records import append
from sentinel.policy.bundles import BANK, Bundle, BundleRefused, bank_bundle, bundle_from_text
from sentinel.policy.engine import Rules, compile_rules
from sentinel.policy.trials import require_answered, tried
from sentinel.signing.canonical import encode
from sentinel.signing.keys import Purpose, is_signature_valid, public_keys, signer_for
from sentinel.vocabulary import Principal

_IN_FORCE = """
SELECT DISTINCT ON (p.area) p.digest, b.content,
  -- A revoked key made nothing that counts after it was revoked.
  CASE WHEN EXISTS (SELECT FROM sentinel_revoked_key k WHERE k.entity = p.entity
    AND k.kid = p.kid AND k.mark < p.position) THEN '' ELSE p.kid END,
  p.signature, p.area, p.effective_from
FROM sentinel_publication p JOIN sentinel_bundle b USING (entity, digest)
WHERE p.effective_from <= coalesce(%s::timestamptz, clock_timestamp())
ORDER BY p.area, p.effective_from DESC, p.position DESC
"""


def publish_at_genesis(bundles: Sequence[Bundle], by: Principal, at: datetime) -> None:
    """Put the first bundles in force, together; only the genesis of an entity does this.

    Raises:
        BundleRefused: they cannot be in force together, or a case of theirs fails.
    """
    rules = compile_rules(bundles, action_kinds())
    require_answered(tried(rules, bundles, about=bundles[0]), BANK)
    for bundle in bundles:
        keep(bundle, by)
        sign_publication(Publication(bundle, by.person_id, by, at))


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


def rules_now() -> Rules:
    """Return the rules in force now, compiled once for as long as they are.

    Raises:
        BundleRefused: there are none, or one was altered or not signed by the bank's policy key.
    """
    return _load(current_entity(), None)


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


def _load(entity: str, at: datetime | None) -> Rules:
    bundles = bundles_in_force(at)
    if not bundles:
        raise BundleRefused(entity, ("no bundle is in force",))
    return compiled(bundles)


def compiled(bundles: Sequence[Bundle]) -> Rules:
    """Return the rules that bundles make together, compiled once while the catalogue stays.

    Raises:
        BundleRefused: they cannot be in force together.
    """
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


def newest_bundles() -> list[Bundle]:
    """Return the newest published bundle of every area, also those not yet in force.

    Raises:
        BundleRefused: one was altered or is not signed by the bank's policy key.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, ["infinity"])
        return [_checked(*row) for row in cursor.fetchall()]


def with_bundle(present: Sequence[Bundle], bundle: Bundle) -> list[Bundle]:
    """Return bundles as they would be with another for its area."""
    return [*(each for each in present if each.content.area != bundle.content.area), bundle]


def keep(bundle: Bundle, maker: Principal) -> None:
    """Keep the content of a bundle under its digest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_bundle (digest, area, content, maker, maker_person)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [bundle.digest, bundle.content.area, bundle.text, maker.id, maker.person_id],
        )


@dataclass(frozen=True, slots=True)
class Publication:
    """A bundle that comes into force: who made it, who agrees, and to which report of the gate."""

    bundle: Bundle
    maker_person: str
    checker: Principal
    effective_from: datetime
    proposal_id: UUID | None = None
    report_digest: str | None = None
    kind: str = "genesis"
    # Names what the report says of old decisions; empty where there were none.
    simulation_digest: str = ""


def sign_publication(said: Publication) -> None:
    """Sign a publication with the bank's policy key, write it, and put it on record."""
    entity, area = current_entity(), said.bundle.content.area
    signer = signer_for(folder=Path(settings.KEYS_DIR), entity=entity, purpose=Purpose.POLICY)
    signature = signer.sign(_message(said.bundle, said.effective_from))
    body: dict[str, object] = {
        "area": area,
        "bundle": said.bundle.digest,
        "checker": said.checker.id,
        "effective_from": said.effective_from.isoformat(),
        "kid": signer.kid,
    }
    if said.proposal_id is not None:
        named = {"proposal": str(said.proposal_id), "report": said.report_digest}
        body |= {"kind": said.kind, "simulation": said.simulation_digest, **named}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_publication (area, digest, is_genesis, maker_person, checker,"
            " checker_person, kid, signature, effective_from, proposal_id, report_digest)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                area,
                said.bundle.digest,
                said.proposal_id is None,
                said.maker_person,
                said.checker.id,
                said.checker.person_id,
                signer.kid,
                signature,
                said.effective_from,
                said.proposal_id,
                said.report_digest,
            ],
        )
        append(cursor, kind="publication", body=body)


def _message(bundle: Bundle, effective_from: datetime) -> bytes:
    moment = round(effective_from.timestamp() * 1_000_000)
    said = {"bundle": bundle.digest, "entity": current_entity(), "effective_from_us": str(moment)}
    return encode("policy-publication", said)
