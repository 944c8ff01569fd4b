import pytest


@pytest.fixture
def bank(rules_in_force):
    """A legal entity with its rules in force, and its scope open."""
    return rules_in_force
