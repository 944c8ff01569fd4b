"""Which words to `manage.py` start a database, and which are answered without one."""

from contextlib import nullcontext

import pytest

import manage


@pytest.fixture(autouse=True)
def nobody_cares_for_a_database(monkeypatch, tmp_path):
    monkeypatch.setenv("FRONTLINE_HOME", str(tmp_path))
    for name in ("DATABASE_URL", "FRONTLINE_SOCKET"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "words",
    [
        ("bench", "list"),
        ("bench", "--help"),
        ("bench", "ledger"),
        ("bundles", "--help"),
        ("flow", "test"),
        ("",),
    ],
)
def test_a_question_starts_no_database(words):
    assert isinstance(manage._database(*words), nullcontext)


@pytest.mark.parametrize(
    "words", [("bundles", "list"), ("flows", "list"), ("verify",), ("flow", "fork")]
)
def test_what_reads_the_bank_has_a_database(words):
    assert not isinstance(manage._database(*words), nullcontext)
