"""While the mark of an unfinished restore stands, nothing of the bank starts."""

import os
import subprocess
import sys

import pytest

from deploy.home import SOURCE
from deploy.safekeeping import unfinished
from tests.banks import FOREIGN

PROGRAMS = ["up", "tick", "web", "worker"]
SECONDS_MAX = 180


def started(home, program):
    own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return subprocess.run(
        [sys.executable, "manage.py", program],
        cwd=SOURCE,
        env={
            **own,
            "FRONTLINE_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "deploy.settings.development",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_starts_in_a_folder_whose_restore_was_not_finished(tmp_path, program):
    unfinished.mark_folder(tmp_path, data=tmp_path / "postgres")

    refused = started(tmp_path, program)

    assert refused.returncode == 2
    assert f"The restore into {tmp_path} was not finished" in refused.stderr
    assert f"Remove {tmp_path} and {tmp_path / 'postgres'}" in refused.stderr
    assert not (tmp_path / "postgres").exists()


def test_a_settled_folder_is_not_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("FRONTLINE_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    unfinished.mark_folder(tmp_path, data=tmp_path)
    with pytest.raises(unfinished.RestoreUnfinished):
        unfinished.require_settled()

    unfinished.clear_folder(tmp_path)

    unfinished.require_settled()
