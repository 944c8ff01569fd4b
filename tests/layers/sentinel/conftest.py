import pytest

from tests import authority


@pytest.fixture
def bank(entity, settings):
    """A legal entity with its rules in force, and its scope open."""
    settings.FRONTLINE_SAMPLE_BANK = True
    settings.SENTINEL_LOG_LAG_SECONDS_MAX = 86_400
    authority.found_bank()
    return entity
