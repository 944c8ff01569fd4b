"""The import contracts hold."""

import subprocess
import sys

from tests.architecture.source import SOURCE


def test_import_contracts_hold():
    checked = subprocess.run(
        [sys.executable, "-m", "deploy.contracts"],
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
