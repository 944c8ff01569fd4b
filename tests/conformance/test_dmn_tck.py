"""The DMN Technology Compatibility Kit is the judge of FEEL and DMN."""

import sys

import pytest

from tests.conformance.tck import data_folder, run_level

KIT = data_folder() / "dmn-tck"
needs_kit = pytest.mark.skipif(
    not KIT.is_dir(), reason="the DMN TCK is not here; FRONTLINE_DATA names the folder it lies in"
)


@needs_kit
@pytest.mark.parametrize("level", ["compliance-level-2", "compliance-level-3"])
def test_every_case_gives_the_expected_results(level, capsys):
    score = run_level(KIT / level)

    with capsys.disabled():
        sys.stdout.write(f"\n{level}: {score}\n")
    assert score.total > 100
    assert score.failed == []
