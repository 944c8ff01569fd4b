"""The core touches nothing: no framework, clock, chance, network, process or file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PACKAGES = ("core", "bpmn", "dmn", "feel")
ALLOWED_OUTSIDE = {
    "abc",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "itertools",
    "hashlib",
    "json",
    "lxml",
    "math",
    "re",
    "sys",
    "typing",
    "typing_extensions",
    "unicodedata",
    "zoneinfo",
}
ALLOWED_INSIDE = {f"orchestration.{name}" for name in (*PACKAGES, "markup")}
FORBIDDEN_CALLS = {"now", "utcnow", "today", "open", "eval", "exec", "compile", "__import__"}


def sources():
    for package in PACKAGES:
        yield from sorted((ROOT / "orchestration" / package).rglob("*.py"))
    yield ROOT / "orchestration" / "markup.py"


@pytest.mark.parametrize("path", tuple(sources()), ids=lambda path: path.name)
def test_module_imports_only_what_is_pure(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "orchestration":
                names = [f"orchestration.{each.name}" for each in node.names]
        for name in names:
            top = name.split(".")[0]
            inside = ".".join(name.split(".")[:2])
            assert top in ALLOWED_OUTSIDE or inside in ALLOWED_INSIDE, f"{path}: {name}"


@pytest.mark.parametrize("path", tuple(sources()), ids=lambda path: path.name)
def test_module_reads_no_clock_and_runs_no_text(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name):
            assert called.id not in FORBIDDEN_CALLS, f"{path}:{node.lineno}"
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            is_clock = called.value.id in {"datetime", "date", "time"}
            assert not (is_clock and called.attr in FORBIDDEN_CALLS), f"{path}:{node.lineno}"
