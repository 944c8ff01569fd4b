"""Somebody of the bank, and a way to publish and start flows."""

from uuid import uuid4

import pytest

from orchestration import steps
from orchestration.durable.starting import NewInstance, begin
from sentinel.vocabulary import Principal
from tests.layers.orchestration.branches import Slow
from tests.layers.orchestration.flows import AT, Flows


@pytest.fixture
def employee(entity: str) -> Principal:
    return Principal(
        id=f"employee:{uuid4()}",
        kind="employee",
        person_id=str(uuid4()),
        entity=entity,
        roles=("operations",),
    )


@pytest.fixture
def flows(employee: Principal) -> Flows:
    return Flows(employee)


@pytest.fixture
def slow(monkeypatch):
    """Give the bank a model that takes its time."""

    def made(at_once=1, **options):
        step = Slow(at_once, **options)
        monkeypatch.setattr(steps, "_MODELS", {**steps._MODELS, "slow": step})
        monkeypatch.setattr(steps, "_READS", {**steps._READS, "slow": step})
        return step

    return made


@pytest.fixture
def parted(flows):
    """Leave an instance of a flow to the workers."""

    def leave(body, *, at=AT, variables=None, **content):
        flow = flows.published(body, process=f"p{uuid4().hex[:8]}", **content)
        instance_id = uuid4()
        begin(NewInstance(instance_id, flow, flows.employee, variables or {}, at))
        return instance_id

    return leave
