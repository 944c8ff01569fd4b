"""The DMN Technology Compatibility Kit is the judge of FEEL and DMN."""

import pytest

from tests.conformance.tck import data_folder, run_level

KIT = data_folder() / "dmn-tck"
needs_kit = pytest.mark.skipif(
    not KIT.is_dir(), reason="the DMN TCK is not here; FRONTLINE_DATA names the folder it lies in"
)


@needs_kit
@pytest.mark.parametrize("level", ["compliance-level-2", "compliance-level-3"])
def test_every_case_gives_the_expected_results(level, record_property):
    score = run_level(KIT / level)

    record_property(level, str(score))
    assert score.total > 100
    assert score.failed == []
