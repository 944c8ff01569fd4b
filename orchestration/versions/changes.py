"""Asking for a change to published versions: another share of new work, or moving running cases."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from orchestration.core import Verdict
from orchestration.durable.definitions import PublishedFlow, flow_of
from orchestration.versions import rollouts
from orchestration.versions.asking import ChangeNotProposed, ask
from orchestration.versions.dry_runs import InstanceVerdict, dry_run, hash_of
from orchestration.versions.proposals import CHANGE_FLOW, require_may_propose
from orchestration.versions.readers import require_flow_reader
from orchestration.versions.rollouts import Trial
from orchestration.wording import name_words
from sentinel.vocabulary import Principal


def ask_roll_out(
    *,
    change_id: UUID,
    digest: str,
    trial: Trial,
    why: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask for another share of new work for a published version; return the case that decides.

    Rolling back is this, with the older version and the whole share.

    Raises:
        FlowUnknown: there is no such version.
        ChangeNotProposed: it gives no reason, changes nothing, or is not theirs to ask for; or
            something else was asked for under this id.
    """
    require_may_propose(principal, why)
    flow = flow_of(digest)
    if trial == rollouts.WHOLE_TRIAL and rollouts.is_sole(flow.process, digest):
        raise ChangeNotProposed("nothing_changed", "This version gets all new work already.")
    whom = f" of the team {trial.team}" if trial.team else ""
    which = f"version {flow.version} of {name_words(flow.process)}"
    words = f"give {which} {trial.share} % of new work{whom}"
    return ask(
        change_id=change_id,
        flow=CHANGE_FLOW,
        about={"change": "roll_out", "process": flow.process},
        parameters={
            "process": flow.process,
            "digest": digest,
            "share": trial.share,
            "team": trial.team,
        },
        words=f"{words}: {why.strip()}",
        principal=principal,
        at=at,
    )


def verdicts_of(
    *, old_digest: str, new_digest: str, mapping: Mapping[str, str], principal: Principal
) -> tuple[InstanceVerdict, ...]:
    """Return what would become of each running case of a version in another; nothing is moved.

    Raises:
        FlowUnknown: there is no such version.
        ChangeNotProposed: the two are versions of different flows, or the same.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    old, new = _two_versions(old_digest, new_digest)
    return dry_run(old_digest=old_digest, old=old.definition, new=new.definition, mapping=mapping)


def ask_move(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    change_id: UUID,
    old_digest: str,
    new_digest: str,
    mapping: Mapping[str, str],
    why: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask for the running cases of a version to go on in another; return the case that decides.

    Cases that cannot move stay where they are and say why.

    Raises:
        FlowUnknown: there is no such version.
        ChangeNotProposed: no case could move, no reason is given, or it is not theirs to ask for;
            or something else was asked for under this id.
    """
    require_may_propose(principal, why)
    old, new = _two_versions(old_digest, new_digest)
    _require_mapped(old, new, mapping)
    verdicts = dry_run(
        old_digest=old_digest, old=old.definition, new=new.definition, mapping=mapping
    )
    safe = sum(each.verdict is Verdict.SAFE for each in verdicts)
    if not safe:
        raise ChangeNotProposed("nothing_moves", "No running case could move.")
    words = (
        f"move {safe} of {len(verdicts)} running {name_words(old.process)} from version"
        f" {old.version} to {new.version}: {why.strip()}"
    )
    return ask(
        change_id=change_id,
        flow=CHANGE_FLOW,
        about={"change": "migrate", "process": old.process},
        parameters={
            "process": old.process,
            "old_digest": old_digest,
            "new_digest": new_digest,
            "mapping": dict(mapping),
            "instances": sorted(str(each.instance_id) for each in verdicts),
            "report_hash": hash_of(verdicts, mapping),
        },
        words=words,
        principal=principal,
        at=at,
    )


def _two_versions(old_digest: str, new_digest: str) -> tuple[PublishedFlow, PublishedFlow]:
    old, new = flow_of(old_digest), flow_of(new_digest)
    if old.process != new.process or old_digest == new_digest:
        raise ChangeNotProposed("not_two_versions", "Choose two versions of one flow.")
    return old, new


def _require_mapped(old: PublishedFlow, new: PublishedFlow, mapping: Mapping[str, str]) -> None:
    for before, after in mapping.items():
        if before not in old.definition.process.nodes or after not in new.definition.process.nodes:
            raise ChangeNotProposed(
                "mapping_unknown", f"{before} or {after} is not in the drawing."
            )
