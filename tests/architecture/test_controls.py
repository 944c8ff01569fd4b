"""Every control of the matrix names code and tests that exist, and says what is not covered."""

import ast
from pathlib import Path

import pytest

from apps.console.controls import controls

FRAMEWORKS = {"GDPR", "PSD2", "DORA", "EU AI Act", "SOC 2"}
CONTROLS = controls()


def name_of(control):
    return f"{control.framework} {control.article} {control.control[:20]}"


def functions_of(path):
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_framework_is_spoken_of_and_says_what_it_lacks():
    assert {each.framework for each in CONTROLS} == FRAMEWORKS
    for framework in FRAMEWORKS:
        lacking = [each for each in CONTROLS if each.framework == framework and each.uncovered]
        assert lacking, framework


@pytest.mark.parametrize("control", CONTROLS, ids=name_of)
def test_the_code_and_the_tests_of_a_control_exist(control):
    assert [path for path in control.code if not Path(path).is_file()] == []
    for named in control.tests:
        path, _, test = named.partition("::")
        assert test.startswith("test_"), named
        assert test in functions_of(path), named


@pytest.mark.parametrize("control", CONTROLS, ids=name_of)
def test_what_is_carried_out_is_tested_and_what_is_not_says_so(control):
    assert bool(control.code) == bool(control.tests)
    assert control.code or control.uncovered
