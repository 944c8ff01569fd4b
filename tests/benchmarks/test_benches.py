"""Every bench runs and says what it promised to; how fast is never a test."""

import json
import os
import subprocess
import sys

import pytest

from deploy.home import SOURCE

KEYS = {
    "authorize": {"authorize_over_commit_c8"},
    "sentinel": {
        "mint_over_sign",
        "verify_over_verify",
        "policy_over_cedar",
        "issued_over_commit",
        "late32_over_plain",
        "sequencer_over_peak",
        "sealed_p99_over_interval",
        "verify_over_hash",
        "redeemed_once",
        "simulate_over_engine",
        "untouched_over_engine",
    },
    "simulate": {"simulate_over_engine", "untouched_over_engine"},
    "ledger": {"batch100_over_bare", "batch100_decided_over_bare", "hot16_over_uniform16"},
    "engine": {"step_over_commit_c8", "runon_over_step", "growth_100_over_10"},
    "load": {"whole_over_begun"},
    "flow": {"send_money_over_commit"},
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


def smoke(name, home):
    """Run a bench for a moment; whatever it measures, it says what it promised to."""
    finished = bench(name, "--json", "--smoke", "--out", str(home / "out.json"), home=home)
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert report["bench"] == name
    assert set(report["ratios"]) == KEYS[name]
    assert all(ratio > 0 for ratio in report["ratios"].values())
    assert report["limits"]
    assert report["figures"]
    assert set(report["machine"]) == {"cores", "postgres"}
    assert json.loads((home / "out.json").read_text()) == report
    return report


@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"load"}))
def test_bench_prints_one_json_object_with_its_keys(name, tmp_path):
    smoke(name, tmp_path)


def test_the_load_is_whole_though_a_worker_was_killed(tmp_path):
    report = smoke("load", tmp_path)

    figures, instances = report["figures"], report["limits"]["instances"]
    assert report["ratios"] == {"whole_over_begun": 1.0}
    assert (figures["killed"], figures["lost"], figures["repeated"]) == (1.0, 0.0, 0.0)
    assert (figures["items_done"], figures["items_not_over"]) == (instances, 0.0)


def test_list_names_all_benches(tmp_path):
    finished = bench("list", home=tmp_path)

    assert finished.returncode == 0
    assert {line.split()[0] for line in finished.stdout.splitlines()} == set(KEYS)


def test_unknown_bench_is_refused(tmp_path):
    finished = bench("perpetual-motion", home=tmp_path)

    assert finished.returncode == 2
    assert "invalid choice" in finished.stderr
