"""What is known of a proposed version before anybody agrees; its hash is what they agree to."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import sentinel.public
from orchestration import bpmn
from orchestration.core import deploy
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.publication import rule_warnings_of, warnings_of
from orchestration.journeys import FlowSource
from orchestration.trying import gate
from orchestration.versions.dry_runs import InstanceVerdict, counted, dry_run

Report = Mapping[str, Any]
_JOURNEY = "journey.json"


def report_on(
    base: PublishedFlow | None, source: FlowSource, given_up: Mapping[str, str]
) -> Report:
    """Return what a proposed version changes, what looks wrong in it, and whom it meets running.

    A new flow has no `base`: nothing is changed by it, and every file is added.

    Its scenarios are run too, and those of the version in force; `given_up` says why some of these
    no longer hold.

    Raises:
        ScenarioRefused: they cannot be read.
    """
    drawing = bpmn.parse(source.bpmn.encode())
    changes, verdicts = _beside(base, drawing, source.process) if base else ((), ())
    return {
        "base_version": base.version if base else 0,
        "changes": [
            {"kind": change.kind.value, "element": change.element, "words": change.words}
            for change in changes
        ],
        "rules": list(file_changes(base, source)),
        "warnings": list(_warnings(source)),
        "running": counted(verdicts),
        "scenarios": gate.tried(base, source, given_up),
    }


def _warnings(source: FlowSource) -> Iterator[dict[str, Any]]:
    """Give what deserves a look: in the drawing, then in the tables of rules, by file."""
    for each in warnings_of(source):
        yield {
            "file": source.content.drawing,
            "code": each.code,
            "element": each.element,
            "line": each.line,
            "words": each.words,
        }
    for file, found in rule_warnings_of(source):
        yield {
            "file": file,
            "code": found.code,
            "element": found.table,
            "line": found.line,
            "words": found.words,
        }


def _beside(
    base: PublishedFlow, drawing: bpmn.Drawing, process: str
) -> tuple[tuple[bpmn.DrawingChange, ...], tuple[InstanceVerdict, ...]]:
    difference = bpmn.compare(bpmn.parse(base.bpmn.encode()), drawing)
    new = deploy(drawing, process=process)
    verdicts = dry_run(old_digest=base.digest, old=base.definition, new=new)
    return difference.changes, verdicts


def file_changes(
    old: PublishedFlow | FlowSource | None, new: PublishedFlow | FlowSource
) -> Iterator[dict[str, Any]]:
    """Give the files but the drawing that differ, with how many lines were added and removed."""
    old_texts, new_texts = _texts(old) if old else {}, _texts(new)
    for name in sorted(old_texts.keys() | new_texts.keys()):
        before, after = old_texts.get(name, "").splitlines(), new_texts.get(name, "").splitlines()
        if before == after:
            continue
        lines = [each[0] for each in difflib.ndiff(before, after)]
        yield {"file": name, "added": lines.count("+"), "removed": lines.count("-")}


def _texts(flow: PublishedFlow | FlowSource) -> Mapping[str, str]:
    """Return the rules, what is said in `journey.json`, the forms and the schemas, by file name."""
    content = flow.content
    stored: dict[str, object] = {_JOURNEY: content.model_dump(mode="json")}
    stored |= {content.forms.get(name, name): form for name, form in flow.forms.items()}
    stored |= {content.schemas.get(name, name): schema for name, schema in flow.schemas.items()}
    lines = {
        name: json.dumps(each, sort_keys=True, ensure_ascii=False, indent=1)
        for name, each in stored.items()
    }
    return {**flow.rules, **lines}


def text_of(report: Report) -> str:
    """Return a report as it is kept."""
    return json.dumps(report, sort_keys=True, ensure_ascii=False)


def hash_of(report: Report) -> str:
    """Return the hex digest that an approval names."""
    return sentinel.public.digest(domain="flow-report", value=report)
