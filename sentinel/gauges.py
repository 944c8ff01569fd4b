"""The parts of a decision as pieces of work, each with its floor beside it, for benches to time.

The pieces are the product's own functions. A floor is the least the same work could cost: the bare
signature under a token, the bare engine under a verdict, the bare hashes under a proof.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import cedarpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction

from sentinel.asking import Judgement
from sentinel.catalogue import ActionKind, action_kind, salt_for, typed_parameters
from sentinel.entities import current_entity
from sentinel.judging import judge
from sentinel.log.merkle import leaf_hash, node_hash
from sentinel.log.records import append_statement
from sentinel.policy.engine import ENGINE, ContextValue, Rules
from sentinel.policy.publishing import rules_in_force
from sentinel.policy.schema import PRINCIPALS, context_shape
from sentinel.recording import Ruling, Values, ruling_statement
from sentinel.redemption import redeem
from sentinel.replaying import Recorded, recorded_decisions, rules_then
from sentinel.sealing import subject_key
from sentinel.signing.token_keys import pinned_keys, token_signer
from sentinel.store import run_one
from sentinel.tokens import Grant, TokenRefused, forget_minted, mint, read
from sentinel.vocabulary import Action, DecisionToken, Fact, Principal, Verdict

Work = Callable[[], object]
_MARK = "SELECT coalesce(max(position), 0) || ':' || count(*) FROM sentinel_publication"
_SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One part of a decision and its floor."""

    part: Work
    floor: Work


@dataclass(frozen=True, slots=True)
class Gauges:
    """Signing and checking a token, asking the policies, and writing the row of a permit."""

    mint: Gauge
    read: Gauge
    policy: Gauge
    write: Work


def gauges(
    *, action: Action, principal: Principal, facts: Sequence[Fact], purpose: str, at: datetime
) -> Gauges:
    """Return the parts of permitting one action, each to be called as often as one likes.

    `write` puts a whole permit on record in a transaction of its own, or in the caller's.

    Raises:
        EntityNotSet: no legal entity is being worked for.
        UnknownAction: the kind is not in the catalogue.
        ParametersRefused: the parameters do not fit it.
    """
    ((mark,),) = run_one(_MARK)
    rules = rules_in_force(current_entity(), mark, at)
    entry = action_kind(action.kind)
    write = _writing(action, principal, tuple(facts), purpose, at, rules)
    grant = _grant(entry, action, principal, purpose, at, rules)
    return Gauges(_mint_gauge(grant), _read_gauge(grant), _policy_gauge(entry, grant, rules), write)


def append_plain(*, count: int) -> None:
    """Append records that say nothing but a number, for a log to grow by.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    statements = [append_statement(kind="bench", body={"n": number}) for number in range(count)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statements[0].sql, [each.parameters for each in statements])


def bare_questions(*, since: datetime, until: datetime) -> list[Work]:
    """Return what Cedar itself was asked of the decisions of a time, each question to ask again.

    Everything is parsed already: this is the least that judging them again can cost.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    return [_bare(found) for found in recorded_decisions(since, until, Counter())]


def _bare(found: Recorded) -> Work:
    rules = rules_then(found.bundle)
    shown = judge(found.proposal, found.known, rules).context
    kind, principal = found.proposal.action.kind, found.proposal.principal
    chosen = rules.slice(kind)
    resource = found.proposal.action.resource
    request = _request(kind, principal, resource, chosen.look(shown))
    entities = rules.supplied(principal, resource)
    return lambda: cedarpy.is_authorized(request, chosen.policies, entities, chosen.schema)


def _request(
    kind: str, principal: Principal, resource: str, context: Mapping[str, ContextValue]
) -> dict[str, Any]:
    return {
        "principal": {"type": PRINCIPALS[principal.kind], "id": principal.id},
        "action": {"type": "Action", "id": kind},
        "resource": {"type": "Resource", "id": resource},
        "context": context,
    }


def hash_floor(*, bodies: Sequence[bytes]) -> None:
    """Hash every body and one pair of hashes a body: the least that checking a tree can cost."""
    before = leaf_hash(b"")
    for body in bodies:
        before = node_hash(before, leaf_hash(body))


def is_spent_by_me(*, token: DecisionToken, action: Action) -> bool:
    """Redeem a token in a transaction of its own and return whether this call was the first.

    Raises:
        TokenRefused: it was refused for another reason than that somebody was first.
    """
    try:
        with transaction.atomic():
            redeem(token=token, action=action, audience=token.audience)
    except TokenRefused as error:
        if error.reason != _SPENT:
            raise
        return False
    return True


def _mint_gauge(grant: Grant) -> Gauge:
    signer = token_signer(grant.entity)
    compact = mint(grant, signer).compact
    signed = compact.rpartition(".")[0].encode()
    return Gauge(part=lambda: mint(grant, signer), floor=lambda: signer.sign(signed))


def _read_gauge(grant: Grant) -> Gauge:
    signer = token_signer(grant.entity)
    keys = pinned_keys(grant.entity)
    compact = mint(grant, signer).compact
    signed = compact.rpartition(".")[0].encode()
    signature = signer.sign(signed)
    public = Ed25519PublicKey.from_public_bytes(signer.public_bytes)

    def read_as_another_process() -> None:
        forget_minted()
        read(compact, keys=keys)

    return Gauge(part=read_as_another_process, floor=lambda: public.verify(signature, signed))


def _policy_gauge(entry: ActionKind, grant: Grant, rules: Rules) -> Gauge:
    context = _filled(
        context_shape(entry, rules.facts, rules.required.get(entry.kind, frozenset()))
    )
    chosen = rules.slice(entry.kind)
    principal, resource = grant.principal, grant.resource
    request = _request(entry.kind, principal, resource, chosen.look(context))
    entities = rules.supplied(principal, resource)
    return Gauge(
        part=lambda: rules.evaluate(entry.kind, principal, resource, context),
        floor=lambda: cedarpy.is_authorized(request, chosen.policies, entities, chosen.schema),
    )


def _filled(shape: Mapping[str, str]) -> dict[str, ContextValue]:
    """Return a context of this shape with everything in it, and nothing that would forbid."""
    plain: dict[str, ContextValue] = {"String": "", "Long": 1, "Bool": False, "Set<String>": []}
    return {name.removesuffix("?"): plain[kind] for name, kind in shape.items()}


def _grant(
    entry: ActionKind,
    action: Action,
    principal: Principal,
    purpose: str,
    at: datetime,
    rules: Rules,
) -> Grant:
    key = subject_key(principal.id)
    salt = salt_for(key, entry.kind)
    return Grant(
        decision_id=uuid4(),
        entity=current_entity(),
        audience=entry.audience,
        subject=principal.id,
        principal=principal,
        action_kind=entry.kind,
        resource=action.resource,
        case_id=action.case_id,
        purpose=purpose,
        salt=salt,
        params_hash=typed_parameters(entry, action).hash_with(salt),
        bundle=rules.digest,
        engine=ENGINE,
        policies=("customer-pays",),
        approval_id="",
        epoch=0,
        issued_at=at,
    )


def _writing(
    action: Action,
    principal: Principal,
    facts: tuple[Fact, ...],
    purpose: str,
    at: datetime,
    rules: Rules,
) -> Work:
    entry = action_kind(action.kind)
    key = subject_key(principal.id)
    typed = typed_parameters(entry, action)
    values = Values(action.resource, facts, typed)
    params_hash = typed.hash_with(salt_for(key, entry.kind))

    def write() -> None:
        ruling = Ruling(
            id=uuid4(),
            entity=current_entity(),
            action=action,
            principal=principal,
            subject=principal.id,
            purpose=purpose,
            at=at,
            judgement=Judgement(Verdict.PERMIT, ("customer-pays",), (), ()),
            bundle=rules.digest,
            params_hash=params_hash,
            audience=entry.audience,
            expires_at=at,
        )
        with transaction.atomic():
            run_one(*ruling_statement(ruling, key=key, values=values))

    return write
