"""The front doors offer what they promised: `make doors` after a deliberate change."""

import json

from tests.architecture.doors import FROZEN, open_doors


def test_front_doors_offer_exactly_what_is_frozen():
    assert open_doors() == json.loads(FROZEN.read_text())
