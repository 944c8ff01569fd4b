"""What may stand in the repository: its own packages, no place it was made in or fetched from."""

import re
import tomllib

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.architecture.source import SOURCE, tracked_files

# Written in pieces, so that this file does not hold what it forbids.
PACKAGE_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted",
    "registry.npm" + "js",
    "deb." + "debian",
    "unp" + "kg.com",
    "js" + "delivr",
)
MACHINE_PATHS = re.compile(rb"(?<![\w./-])/(?:wor" + rb"k|far" + rb"m|tm" + rb"p/bash_jobs)/")
TEXT_SUFFIXES = frozenset(
    {
        "", ".bpmn", ".cedar", ".css", ".dmn", ".feel", ".html", ".js", ".json", ".lock", ".md",
        ".py", ".sh", ".sql", ".svg", ".toml", ".txt", ".yaml", ".yml",
    }
)  # fmt: skip
BYTES_MAX = 3_000_000


@pytest.fixture(scope="module")
def contents():
    return {
        path.relative_to(SOURCE): path.read_bytes() for path in tracked_files() if path.exists()
    }


def test_migrations_of_each_app_are_one_chain():
    assert MigrationLoader(None).detect_conflicts() == {}


def test_top_level_packages_are_those_under_contract():
    settings = tomllib.loads((SOURCE / "pyproject.toml").read_text())

    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")} - {"tests"}

    assert packages == set(settings["tool"]["importlinter"]["root_packages"])


def test_no_package_host_is_named(contents):
    named = [
        f"{path}: {host}"
        for path, content in contents.items()
        for host in PACKAGE_HOSTS
        if host.encode() in content
    ]

    assert named == []


def test_no_path_of_the_machine_it_was_made_on_is_named(contents):
    named = [
        f"{path}: {found.group().decode()}"
        for path, content in contents.items()
        if path.suffix in TEXT_SUFFIXES
        if (found := MACHINE_PATHS.search(content))
    ]

    assert named == []


def test_no_file_is_large(contents):
    large = [str(path) for path, content in contents.items() if len(content) > BYTES_MAX]

    assert large == []


def test_no_third_party_file_is_committed(contents):
    vendored = [
        str(path)
        for path in contents
        if {"vendor", "node_modules"} & set(path.parts) or path.name.endswith(".min.js")
    ]

    assert vendored == []


def test_no_python_promises_what_it_does_not_do(contents):
    promise = re.compile(rb"\b(?:NotImplemented" + rb"Error|TO" + rb"DO|FIX" + rb"ME)\b")

    promised = [
        str(path)
        for path, content in contents.items()
        if path.suffix == ".py" and promise.search(content)
    ]

    assert promised == []
