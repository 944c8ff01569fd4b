"""The peer of the engine's differential test: pinned by digest, fetched, or done without."""

import json
import subprocess

import pytest

from tests.conformance.bpmn_engine import PEER, install, is_installed

LOCK = json.loads((PEER / "package-lock.json").read_text())["packages"]


@pytest.fixture
def peer(tmp_path):
    (tmp_path / "package-lock.json").write_text("{}")
    return tmp_path


def npm_that(*, code=0, words="", is_slow=False):
    """Stand in for npm: put the packages in place, and end as told."""

    def run(arguments, *, cwd, timeout, **_options):
        (cwd / "node_modules").mkdir()
        if is_slow:
            raise subprocess.TimeoutExpired(arguments, timeout)
        return subprocess.CompletedProcess(arguments, code, stdout="", stderr=words)

    return run


def test_every_package_is_pinned_by_digest_and_names_no_address():
    packages = {name: entry for name, entry in LOCK.items() if name}

    assert "node_modules/bpmn-engine" in packages
    assert [name for name, each in packages.items() if "sha512-" not in each["integrity"]] == []
    assert [name for name, each in packages.items() if {"resolved", "funding"} & set(each)] == []


def test_what_is_fetched_is_there_until_the_lock_changes(peer):
    assert not is_installed(peer)

    assert install(npm_that(), peer) == 0
    assert is_installed(peer)

    (peer / "package-lock.json").write_text("{ }")
    assert not is_installed(peer)


def test_no_script_of_a_package_is_run(peer):
    asked = []

    def run(arguments, **options):
        asked.extend(arguments)
        return npm_that()(arguments, **options)

    install(run, peer)

    assert asked[0] == "ci"
    assert "--ignore-scripts" in asked


@pytest.mark.parametrize(
    "npm", [npm_that(code=1, words="ENOTFOUND"), npm_that(is_slow=True)], ids=["offline", "slow"]
)
def test_without_a_registry_the_install_goes_on_and_says_so(peer, capsys, npm):
    assert install(npm, peer) == 0

    assert not (peer / "node_modules").exists()
    assert "its test is not run" in capsys.readouterr().out


def test_another_digest_is_refused_and_nothing_stays(peer, capsys):
    assert install(npm_that(code=1, words="npm error code EINTEGRITY"), peer) == 1

    assert not (peer / "node_modules").exists()
    assert "a digest is not the one of the lock" in capsys.readouterr().out
