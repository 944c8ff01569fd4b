"""Trying a flow out: by its scenarios, or by hand, move by move."""

from dataclasses import dataclass, replace
from uuid import UUID

from orchestration.durable.definitions import FlowUnknown, PublishedFlow, flow_of
from orchestration.journeys import FlowSource
from orchestration.trying import gate
from orchestration.trying.checking import check_scenarios
from orchestration.trying.drawings import flow_to_try
from orchestration.trying.places import places_in
from orchestration.trying.scenarios import (
    Expectation,
    ReadFile,
    Scenario,
    ScenarioFile,
    ScenarioRefused,
    read_scenarios,
    read_values,
)
from orchestration.trying.showing import TryView, as_json, shown
from orchestration.trying.sources import ScenarioSource
from orchestration.trying.stepping import MOVES_MAX, Move, TryRefused, begin
from orchestration.versions.proposals import ProposalUnknown, source_of
from orchestration.versions.readers import require_flow_reader
from sentinel.vocabulary import Principal

OWN = "own data"


@dataclass(frozen=True, slots=True)
class TryScript:
    """What is tried out: `given` is JSON in place of the scenario's variables, if not empty.

    Without a scenario nothing is answered but by the moves.
    """

    scenario: str = ""
    given: str = ""
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class TryStory:
    """A scenario one may begin from, with its variables as JSON."""

    name: str
    given: str


def try_scenario(*, source: ScenarioSource, script: TryScript) -> TryView:
    """Return where the moves of a try-out lead; nothing is started, written or sent.

    Raises:
        DrawingRefused: the drawing cannot be run.
        ScenarioRefused: the scenarios cannot be read, or do not fit the drawing.
        TryRefused: there is no such scenario, or a move cannot be made.
    """
    flow = flow_to_try(source.source)
    return _tried(flow, source.source.scenarios, script)


def stories_of(*, source: ScenarioSource) -> tuple[TryStory, ...]:
    """Return the scenarios of a flow.

    Raises:
        ScenarioRefused: they cannot be read.
    """
    return stories_in(source.process, source.source.scenarios)


def try_version(*, process: str, version: str, script: TryScript, principal: Principal) -> TryView:
    """Return where the moves of a try-out of a published or proposed version lead.

    `version` is a digest, or the id of a proposal. Nothing is started, written or sent.

    Raises:
        FlowUnknown: there is no such version of this flow.
        FlowReadersOnly: the flows are not theirs to look at.
        ScenarioRefused: the scenarios cannot be read, or do not fit the drawing.
        TryRefused: there is no such scenario, or a move cannot be made.
    """
    require_flow_reader(principal)
    flow, text = _version(process, version)
    return _tried(flow, text, script)


def stories_of_version(*, process: str, version: str, principal: Principal) -> tuple[TryStory, ...]:
    """Return the scenarios of a published or proposed version.

    Raises:
        FlowUnknown: there is no such version of this flow.
        FlowReadersOnly: the flows are not theirs to look at.
        ScenarioRefused: they cannot be read.
    """
    require_flow_reader(principal)
    flow, text = _version(process, version)
    return stories_in(flow.process, text)


def drawing_to_try(*, process: str, version: str, principal: Principal) -> str:
    """Return the drawing of a published or proposed version, as BPMN.

    Raises:
        FlowUnknown: there is no such version of this flow.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    return _version(process, version)[0].bpmn


def _version(process: str, version: str) -> tuple[PublishedFlow, str]:
    """Return a version ready to be tried out, with its scenarios."""
    flow, text = _proposed(UUID(version)) if _is_id(version) else _published(version)
    if flow.process != process:
        raise FlowUnknown(version)
    return flow, text


def _published(digest: str) -> tuple[PublishedFlow, str]:
    flow = flow_of(digest)
    return flow, gate.scenarios_of(flow)


def _proposed(proposal_id: UUID) -> tuple[PublishedFlow, str]:
    try:
        source: FlowSource = source_of(proposal_id)
    except ProposalUnknown as error:
        raise FlowUnknown(str(proposal_id)) from error
    return flow_to_try(source), source.scenarios


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def stories_in(process: str, text: str) -> tuple[TryStory, ...]:
    """Return the scenarios in a text.

    Raises:
        ScenarioRefused: they cannot be read.
    """
    if not text:
        return ()
    content = read_scenarios(name=f"{process}.scenario.json", text=text).content
    return tuple(TryStory(each.name, as_json(content.given_of(each))) for each in content.scenarios)


def require_few(script: TryScript) -> None:
    """Refuse a try-out of too many moves, since each makes all before it again.

    Raises:
        TryRefused: there are too many.
    """
    if len(script.moves) > MOVES_MAX:
        raise TryRefused("too_many_moves", f"At most {MOVES_MAX} moves; please start again.")


def _tried(flow: PublishedFlow, text: str, script: TryScript) -> TryView:
    require_few(script)
    read, scenario = story_of(flow, text, script.scenario)
    if script.given:
        scenario = scenario.model_copy(update={"given": _given(script.given)})
        read = replace(read, content=_with(read.content, scenario))
    trial = begin(flow, read, scenario, is_played=bool(script.scenario))
    return shown(trial, script.moves)


def story_of(flow: PublishedFlow, text: str, name: str) -> tuple[ReadFile, Scenario]:
    """Return the scenario of a name; without a name an empty one.

    Raises:
        ScenarioRefused: the scenarios cannot be read, or do not fit the drawing.
        TryRefused: there is no such scenario.
    """
    if not name:
        empty = Scenario(name=OWN, expect=Expectation(waits_at=[]))
        content = ScenarioFile(flow=flow.process, scenarios=[empty])
        return ReadFile(OWN, content, places_in("{}")), empty
    if text:
        read = read_scenarios(name=f"{flow.process}.scenario.json", text=text)
        check_scenarios(read, flow)
        for scenario in read.content.scenarios:
            if scenario.name == name:
                return read, scenario
    raise TryRefused("scenario_unknown", f"There is no scenario {name!r}.")


def _given(text: str) -> dict[str, object]:
    try:
        values = read_values(name="sample data", text=text)
    except ScenarioRefused as refused:
        words = "; ".join(f"line {each.line}: {each.words}" for each in refused.faults)
        raise TryRefused("data_not_understood", f"The sample data, {words}.") from refused
    if not isinstance(values, dict):
        raise TryRefused("data_not_understood", "The sample data is no JSON object.")
    return values


def _with(content: ScenarioFile, scenario: Scenario) -> ScenarioFile:
    """Return a file whose one scenario begins with exactly its own variables."""
    return content.model_copy(update={"given": {}, "scenarios": [scenario]})
