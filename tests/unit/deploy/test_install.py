"""The installer says what is missing, and does nothing twice."""

import os
import subprocess
import sys

import pytest

from deploy.home import SOURCE

HIDE = """
import runpy, sys
hidden = sys.argv[1].split(",")
sys.modules.update(dict.fromkeys(hidden))
sys.argv = ["install.py"]
runpy.run_path("deploy/install.py", run_name="__main__")
"""


@pytest.fixture
def clone(tmp_path):
    """Give the installer a clone without an environment."""
    clone = tmp_path / "a clone with a space"
    (clone / "deploy").mkdir(parents=True)
    (clone / "deploy/install.py").write_bytes((SOURCE / "deploy/install.py").read_bytes())
    (clone / "requirements.lock").write_text("")
    return clone


def install(clone, *, without):
    return subprocess.run(
        [sys.executable, "-I", "-c", HIDE, without],
        cwd=clone,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_any_way_to_make_an_environment_the_package_is_named(clone):
    refused = install(clone, without="ensurepip,virtualenv,pip")

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert refused.returncode == 1
    assert f"apt-get install python{version}-venv" in refused.stdout
    assert not (clone / ".venv").exists()


def test_a_python_without_its_own_pip_is_served_by_the_machines(clone):
    made = install(clone, without="ensurepip,virtualenv")

    assert "making the virtual environment" in made.stdout
    assert (clone / ".venv/bin/python").exists()
    assert not (clone / ".venv/bin/pip").exists()
