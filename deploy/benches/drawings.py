"""Flows of benches: drawn in a row, and published from a folder as any journey is."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from celery import current_app
from django.conf import settings

import orchestration.public
import sentinel.public
from deploy.benches import bank

STEP = (
    '<serviceTask id="{name}"><extensionElements><frontline:task call="read:reference"/>'
    '<frontline:output name="reference"/></extensionElements></serviceTask>'
)
WAIT = (
    '<intermediateCatchEvent id="wait"><timerEventDefinition>'
    "<timeDate>= until</timeDate></timerEventDefinition></intermediateCatchEvent>"
)


def steps(names: Sequence[str]) -> str:
    """Return a call and its answer for each of these names."""
    return "".join(STEP.format(name=name) for name in names)


def drawing(process: str, nodes: Sequence[str], body: str, *, declared: str = "") -> str:
    """Return a flow that goes through these nodes, whose elements are `body`, one by one."""
    row = ["s", *nodes, "e"]
    arrows = "".join(
        f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(pairwise(row))
    )
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
        ' xmlns:frontline="https://frontline.bank/bpmn/1.0" id="d" targetNamespace="bench">'
        f'{declared}<process id="{process}" isExecutable="true"><startEvent id="s"/>{body}'
        f'<endEvent id="e"/>{arrows}</process></definitions>'
    )


def publish(drawings: Mapping[str, str], contents: Mapping[str, Mapping[str, object]]) -> None:
    """Publish flows by name, with what a journey says of each beside its drawing.

    The clients look for work themselves, so that the doorbell need ring nobody.
    """
    current_app.conf.update(broker_url="memory://localhost")
    flows = {
        name: {
            "drawing": f"{name}.bpmn",
            "title": "Bench",
            "summary": "A bench.",
            "purpose": "servicing",
            "queue": "bench",
            **content,
        }
        for name, content in contents.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in drawings.items():
            Path(folder, f"{name}.bpmn").write_text(text)
        journey = {"journey": "bench", "flows": flows}
        Path(folder, "journey.json").write_text(json.dumps(journey))
        installed, settings.JOURNEYS = settings.JOURNEYS, [folder]
        try:
            with sentinel.public.legal_entity(entity=bank.ENTITY):
                orchestration.public.publish_journeys()
        finally:
            settings.JOURNEYS = installed
