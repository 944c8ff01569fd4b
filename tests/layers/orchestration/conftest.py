"""Somebody of the bank, and a way to publish and start flows."""

from uuid import uuid4

import pytest

from sentinel.vocabulary import Principal
from tests.layers.orchestration.flows import Flows


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
