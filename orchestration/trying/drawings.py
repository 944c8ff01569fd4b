"""A drawing made ready to be tried out, whether it is published, proposed, or only a file."""

import json
from collections.abc import Mapping

from pydantic import ValidationError

import sentinel.public
from orchestration import bpmn, dmn, steps
from orchestration.core.commands import CallKind, CallService
from orchestration.core.definition import deploy
from orchestration.durable.definitions import PublishedFlow
from orchestration.journeys import FlowSource
from orchestration.output_schemas import checks_of
from orchestration.plain import plain_mapping

UNPUBLISHED = 0


def flow_to_try(source: FlowSource) -> PublishedFlow:
    """Return a flow as it would be published, without publishing it.

    Raises:
        DrawingRefused: the drawing cannot be run.
        ModelRefused: a rule cannot be read or run.
    """
    return PublishedFlow(
        digest=source.digest,
        process=source.process,
        version=UNPUBLISHED,
        journey=source.journey,
        bpmn=source.bpmn,
        definition=deploy(
            bpmn.parse(source.bpmn.encode()),
            process=source.process,
            checks=checks_of(source.schemas),
        ),
        rules=source.rules,
        decisions=dmn.parse_files(source.rules),
        content=source.content,
        forms=source.forms,
        schemas=source.schemas,
    )


def fault_of(command: CallService) -> str | None:
    """Say why the bank could not even try what a drawing calls, or None.

    The step must be one the bank has, and the parameters of an action must be of their types.
    """
    called = f"{command.kind.value}:{command.name}"
    if command.kind is not CallKind.ACTION:
        return None if steps.is_known(command.kind, command.name) else f"there is no step {called}"
    kinds = {each.kind: each for each in sentinel.public.action_kinds()}
    if command.name not in kinds:
        return f"there is no step {called}"
    given = plain_mapping(command.inputs).get("parameters")
    text = json.dumps(given if isinstance(given, Mapping) else {})
    try:
        kinds[command.name].parameters.model_validate_json(text)
    except ValidationError as error:
        places = (".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        return f"{called} does not take these parameters: {', '.join(sorted(set(places)))}"
    return None
