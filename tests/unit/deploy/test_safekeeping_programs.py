"""What programs that copy databases are told, and where everybody on the machine may read it."""

import pytest

from deploy.safekeeping.manifest import BackupRefused
from deploy.safekeeping.programs import addressed, run
from deploy.settings.database import parsed

CHECK = 'test "$PGPASSWORD" = "hush hush"'


@pytest.mark.parametrize(
    "url",
    [
        "postgres://admin:hush%20hush@db.internal:5432/bank",
        "postgres://admin@db.internal:5432/bank?password=hush%20hush",
    ],
)
def test_no_password_stands_in_the_arguments(url):
    address, password = addressed(parsed(url))

    assert password == "hush hush"
    assert "hush" not in address
    assert "host=db.internal" in address


def test_a_program_finds_the_password_in_its_environment(tmp_path):
    watched, said = tmp_path / "draft", []
    watched.mkdir()
    command = ["/bin/sh", "-c", CHECK]

    run(command, what="it", say=said.append, watched=watched, password="hush hush")
    with pytest.raises(BackupRefused):
        run(command, what="it", say=said.append, watched=watched)
