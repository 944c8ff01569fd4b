"""Proves a bank from its own rows: books, log, running work, permits, and what waits outside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import grand_central.public
from orchestration import public as orchestration
from sentinel import public as sentinel


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was proved or did not fit; `faults` say what, each in a sentence."""

    entity: str
    subject: str
    words: str
    faults: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def prove(*, checkpoints: Mapping[str, str], is_ended_included: bool) -> Iterator[Finding]:
    """Prove every legal entity, part by part; `checkpoints` are notes kept elsewhere."""
    entities = {each.entity for each in sentinel.legal_entities()}
    for lost in sorted(checkpoints.keys() - entities):
        yield Finding(lost, "log", "", ("the whole legal entity is gone",))
    for entity in sorted(entities):
        with sentinel.legal_entity(entity=entity):
            yield _log(entity, checkpoints.get(entity))
            yield _permits(entity)
            yield _history(entity, is_ended_included=is_ended_included)
            yield _outside(entity)
    yield from (_books(proof) for proof in grand_central.public.prove_books_once())


def _log(entity: str, note: str | None) -> Finding:
    proof = sentinel.prove_log(known_note=note)
    held = " and the checkpoint given" if note else ""
    words = f"{proof.size} records recomputed, as {proof.checkpoints} checkpoints{held} say"
    return Finding(entity, "log", words, proof.faults)


def _permits(entity: str) -> Finding:
    proof = sentinel.prove_permits()
    since = f"; restored at {proof.restored_at:%Y-%m-%d %H:%M:%S}" if proof.restored_at else ""
    words = f"{proof.spent} spent, each once; {proof.unspent} never spent{since}"
    return Finding(entity, "permits", words, proof.faults)


def _history(entity: str, *, is_ended_included: bool) -> Finding:
    proof = orchestration.prove_history(is_ended_included=is_ended_included)
    kind = "instances" if is_ended_included else "live instances"
    words = f"{proof.instances} {kind} rebuilt from their history"
    return Finding(entity, "running work", words, proof.faults)


def _outside(entity: str) -> Finding:
    """Not to know yet is no fault: the reconciler asks, and a person looks at what is held."""
    calls, held = grand_central.public.outstanding_calls(), orchestration.held_effects()
    words = f"{len(calls)} calls to be asked about, {len(held)} effects held for a person"
    named = [f"{each.action_kind} of instance {each.instance_id}" for each in held]
    return Finding(entity, "outside", "; ".join([words, *named]))


def _books(proof: grand_central.public.BooksProof) -> Finding:
    balances = proof.balances
    faults = [
        f"account {each.account_id}: {each.counter} is {each.stored},"
        f" its transfers make {each.recomputed}"
        for each in balances.differences
    ]
    faults += [
        f"{each.currency}: debits are {each.debits}, credits {each.credits}"
        for each in balances.sums
        if each.debits != each.credits
    ]
    faults += [f"effect {each.token}: {each.reason}" for each in proof.orphans]
    accounts = sum(each.accounts for each in balances.sums)
    words = f"{accounts} accounts recomputed from all transfers; every currency sums to zero"
    return Finding(proof.entity, "books", words, tuple(faults))
