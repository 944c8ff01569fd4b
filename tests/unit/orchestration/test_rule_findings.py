"""What the author of a journey is told of its decision tables, and what publishing refuses."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings as deployed

import orchestration.public
from orchestration.journeys import flow_sources

RULES = "payments/payment_rules.dmn"


@pytest.fixture
def journeys(settings, tmp_path):
    """The bank's journeys in a folder where they may be changed."""
    copied = tmp_path / "journeys"
    first = Path(next(iter(deployed.JOURNEYS)))
    root = first if (first / RULES).exists() else first.parent
    shutil.copytree(root, copied)
    settings.JOURNEYS = [
        str(copied / Path(each).relative_to(root)) if Path(each) != root else str(copied)
        for each in deployed.JOURNEYS
    ]
    return copied


def test_rules_of_the_bank_have_no_fault():
    found = orchestration.public.rule_findings()

    assert [each.words for each in found if each.severity != "note"] == []


def test_changed_rules_are_told_with_the_case_that_shows_the_fault(journeys):
    file = journeys / RULES
    text = file.read_text()
    file.write_text(text.replace('hitPolicy="FIRST"', 'hitPolicy="UNIQUE"'))

    found = [each for each in orchestration.public.rule_findings() if each.severity == "error"]

    assert {each.code for each in found} == {"overlap"}
    assert {each.table for each in found} == {"ruling"}
    assert found[0].rules == (1, 2)
    assert "both apply to" in found[0].words
    assert found[0].example["problem_code != null"] == "true"
    assert any(source.rules for source in flow_sources())
