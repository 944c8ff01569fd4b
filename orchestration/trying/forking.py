"""A run tried out from any event of it on: as it stood then, in the sandbox, with no effects.

The run is only read. What it went through is taken again by the pure engine, which asks nobody;
from there on every service, person and called process is answered by whoever tries it out.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestration import cases
from orchestration.durable import store
from orchestration.durable.replaying import Replay, replays_of
from orchestration.operating.role import require_operations
from orchestration.trying import gate
from orchestration.trying.bench import Bench
from orchestration.trying.doors import TryScript, require_few, stories_in, story_of
from orchestration.trying.playing import Player
from orchestration.trying.scenarios import ScenarioRefused
from orchestration.trying.showing import TryView, shown
from orchestration.trying.stepping import Trial, TryRefused
from orchestration.versions.readers import require_flow_reader
from orchestration.worklist import readers
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class ForkOrigin:
    """What a try-out is a fork of: a run as it stood after event `seq`, in the version of then.

    `last_seq` is its latest event by now, `happened_at` when the one it forks at happened.
    """

    run_id: UUID
    process: str
    version: int
    digest: str
    case_number: str
    seq: int
    last_seq: int
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Fork:
    """A try-out that is a fork of a run, where its moves lead, and the scenarios that can answer.

    Scenarios that cannot be read are left out: a fork does without.
    """

    origin: ForkOrigin
    view: TryView
    stories: tuple[str, ...]


def fork_run(
    *,
    instance_id: UUID,
    seq: int | None,
    script: TryScript,
    principal: Principal,
    at: datetime,
) -> Fork:
    """Return where moves lead from a run as it stood after one event of it, or after the last.

    A scenario of the version answers what is asked, if one is named. Nothing is started, written or
    sent, and the run stays as it is; that somebody looked is on record.

    Raises:
        FlowReadersOnly: trying flows out is not theirs.
        InstanceUnknown: there is no such run.
        NotForYourRole: they may not read its case.
        OperationsOnly: it has no case, and they are not of operations.
        ScenarioRefused: the scenarios cannot be read, or do not fit the drawing.
        TryRefused: it has no such event, there is no such scenario, or a move cannot be made.
    """
    require_flow_reader(principal)
    row = store.read_instance(instance_id)
    number = _require_readable(row, principal, at)
    require_few(script)
    if script.given:
        raise TryRefused("data_of_its_own", "A fork goes on with the data of its run.")
    replays = _replays(row, seq)
    flow = replays[-1].flow
    scenarios = gate.scenarios_of(flow)
    trial = _trial(replays, scenarios, script.scenario)
    origin = ForkOrigin(
        run_id=row.id,
        process=row.process,
        version=flow.version,
        digest=flow.digest,
        case_number=number,
        seq=replays[-1].line.seq,
        last_seq=row.rev - 1,
        happened_at=replays[-1].line.at,
    )
    return Fork(origin, shown(trial, script.moves), _stories(flow.process, scenarios))


def _require_readable(row: store.InstanceRow, principal: Principal, at: datetime) -> str:
    """Return the number of a run's case, for somebody who may see all that the run knows."""
    resource = f"run:{row.id}"
    if not cases.is_known(row.case_id):
        require_operations(principal)
        readers.grant(principal, resource, at)
        return ""
    readers.require_case(row.case_id, principal, at=at, resource=resource)
    return cases.read_case(row.case_id).number


def _stories(process: str, text: str) -> tuple[str, ...]:
    with suppress(ScenarioRefused):
        return tuple(each.name for each in stories_in(process, text))
    return ()


def _replays(row: store.InstanceRow, seq: int | None) -> list[Replay]:
    if not row.rev:
        raise TryRefused("nothing_happened", "Nothing has happened in this run yet.")
    last = row.rev - 1
    if seq is not None and not 0 <= seq <= last:
        raise TryRefused("seq_unknown", f"This run has no event {seq}; there are 0 to {last}.")
    return list(replays_of(row, to_seq=last if seq is None else seq))


def _trial(replays: list[Replay], text: str, name: str) -> Trial:
    bench = Bench.forked(replays)
    if not name:
        return Trial(bench, None, None)
    read, scenario = story_of(bench.flow, text, name)
    # What the scenario expects is said of a whole life, which this is not.
    return Trial(bench, None, Player(bench, read.content, scenario))
