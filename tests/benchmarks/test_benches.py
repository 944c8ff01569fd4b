"""Every bench runs and says what it promised to; how fast is never a test."""

import json
import os
import subprocess
import sys

import pytest

from deploy.home import SOURCE

KEYS = {
    "authorize": {"authorize_over_commit_c8"},
    "ledger": {"batch100_over_bare", "hot16_over_uniform16"},
    "chat": {"first_token_over_intent"},
}


def bench(*words, home):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"FRONTLINE_SOCKET", "FRONTLINE_DATABASE"}
    }
    return subprocess.run(
        [sys.executable, "manage.py", "bench", *words],
        cwd=SOURCE,
        env={**environment, "FRONTLINE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(KEYS))
def test_bench_prints_one_json_object_with_its_keys(name, tmp_path):
    finished = bench(name, "--json", "--smoke", "--out", str(tmp_path / "out.json"), home=tmp_path)

    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert report["bench"] == name
    assert set(report["ratios"]) == KEYS[name]
    assert all(ratio > 0 for ratio in report["ratios"].values())
    assert report["limits"]
    assert report["figures"]
    assert set(report["machine"]) == {"cores", "postgres"}
    assert json.loads((tmp_path / "out.json").read_text()) == report


def test_list_names_all_benches(tmp_path):
    finished = bench("list", home=tmp_path)

    assert finished.returncode == 0
    assert {line.split()[0] for line in finished.stdout.splitlines()} == set(KEYS)


def test_unknown_bench_is_refused(tmp_path):
    finished = bench("perpetual-motion", home=tmp_path)

    assert finished.returncode == 2
    assert "invalid choice" in finished.stderr
