"""The scenarios of a proposed version, run before anybody is asked to agree to it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from orchestration.durable.definitions import PublishedFlow, scenarios_kept
from orchestration.journeys import FlowSource
from orchestration.trying.drawings import flow_to_try
from orchestration.trying.running import ScenarioResult, coverage_of, run_file
from orchestration.trying.scenarios import (
    ReadFile,
    ScenarioFault,
    ScenarioFile,
    ScenarioRefused,
    read_scenarios,
)
from orchestration.trying.sources import shipped_scenarios

# What a report keeps of a scenario: enough to see what broke, and no more than can be read.
_BROKEN_MAX = 5
Tried = Mapping[str, Any]


def scenarios_of(flow: PublishedFlow) -> str:
    """Return the scenarios of a published version, as JSON; empty when it has none."""
    return shipped_scenarios(flow.process, flow.digest) or scenarios_kept(flow.digest)


def tried(base: PublishedFlow | None, source: FlowSource, given_up: Mapping[str, str]) -> Tried:
    """Return what came of a proposed version's scenarios, as a report keeps it.

    `faults` say why none could be run. `before` names the base's scenarios that fail in the new
    drawing, are missing, or say something else, with why the proposer gives them up; `gone` those
    that are missing or say something else.

    Raises:
        ScenarioRefused: they cannot be read.
    """
    flow = flow_to_try(source)
    read = None
    if source.scenarios:
        read = read_scenarios(name=f"{source.process}.scenario.json", text=source.scenarios)
    now = _stories_in(read.content) if read else {}
    before = list(_before(base, flow, now, given_up)) if base else []
    kept = {
        "before": before,
        "gone": sorted(each["name"] for each in before if each["is"] != "kept"),
        "results": [],
        "faults": [],
        "elements": 0,
        "elements_seen": 0,
    }
    if read is None:
        return kept
    try:
        results = tuple(run_file(read, flow))
    except ScenarioRefused as refused:
        return {**kept, "faults": [_fault(each) for each in refused.faults[:_BROKEN_MAX]]}
    coverage = coverage_of(flow, results)
    return {
        **kept,
        "results": [_result(each) for each in results],
        "elements": coverage.elements,
        "elements_seen": coverage.elements_seen,
    }


def to_be_given_up(report: Tried) -> Iterator[tuple[str, str]]:
    """Give the scenarios in force that a version gives up, each with what becomes of it in words.

    One that says something else now, and passes as it was, is not given up.
    """
    for each in report["before"]:
        if each["words"]:
            yield each["name"], f"it fails: {each['words']}"
        elif each["is"] == "removed":
            yield each["name"], "it is removed"


def first_broken(report: Tried) -> str:
    """Say what broke first, or nothing when every scenario passed."""
    return next(_broken(report), "")


def _before(
    base: PublishedFlow, flow: PublishedFlow, now: Mapping[str, object], given_up: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Run each scenario of the version in force, alone, in the new drawing."""
    text = scenarios_of(base)
    if not text:
        return
    read = read_scenarios(name=f"{base.process}.scenario.json", text=text)
    stories = _stories_in(read.content)
    for name, alone in _one_by_one(read):
        what = "kept" if stories[name] == now.get(name) else "changed" if name in now else "removed"
        words = _first_words(alone, flow)
        if words or what != "kept":
            yield {"name": name, "is": what, "words": words, "why": given_up.get(name, "")}


def _one_by_one(read: ReadFile) -> Iterator[tuple[str, ReadFile]]:
    content = read.content
    for scenario in content.scenarios:
        alone = content.model_copy(update={"scenarios": [scenario], "decisions": []})
        yield scenario.name, replace(read, content=alone)
    for test in content.decisions:
        alone = content.model_copy(update={"scenarios": [], "decisions": [test]})
        yield test.name, replace(read, content=alone)


def _first_words(alone: ReadFile, flow: PublishedFlow) -> str:
    """Return what breaks first in a scenario, in words; nothing when it passes."""
    try:
        (result,) = run_file(alone, flow)
    except ScenarioRefused as refused:
        return refused.faults[0].words
    return result.broken[0].words if result.broken else ""


def _broken(report: Tried) -> Iterator[str]:
    for fault in report["faults"]:
        yield f"Line {fault['line']}: {fault['words']}."
    for result in report["results"]:
        for fault in result["broken"]:
            yield f"“{result['name']}”, line {fault['line']}: {fault['words']}."


def _result(result: ScenarioResult) -> dict[str, Any]:
    broken = [_fault(each) for each in result.broken[:_BROKEN_MAX]]
    return {"name": result.name, "has_passed": result.has_passed, "broken": broken}


def _fault(fault: ScenarioFault) -> dict[str, Any]:
    return {"place": fault.place, "line": fault.line, "words": fault.words}


def _stories_in(content: ScenarioFile) -> Mapping[str, object]:
    """Return each scenario with all that it says, what stands in the file's head included."""
    return {each.name: each for each in content.decisions} | {
        each.name: (
            content.given_of(each),
            content.answers_of(each),
            content.begins_at(each),
            each,
        )
        for each in content.scenarios
    }
