"""Root never runs PostgreSQL: a system user does, wherever the clone stands."""

import os
import pwd
import shutil

import pytest

from deploy.embedded.place import SYSTEM_USER, place_for
from deploy.embedded.server import EmbeddedPostgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to a system user")


@pytest.fixture
def unreachable(tmp_path):
    """Give a folder nobody but root can enter, as a clone in root's own home."""
    folder = tmp_path / "root only"
    folder.mkdir(mode=0o700)
    return folder


@as_root
def test_a_folder_the_system_user_cannot_reach_is_left_as_it_is(unreachable):
    place = place_for(unreachable / "var")

    assert not place.data.is_relative_to(unreachable)
    assert pwd.getpwuid(place.data.stat().st_uid).pw_name == SYSTEM_USER
    assert place.data.stat().st_mode & 0o777 == 0o700
    assert unreachable.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(place.data.parent)


@as_root
def test_the_server_runs_as_the_system_user_and_not_as_root(unreachable):
    server = EmbeddedPostgres(unreachable / "var", lambda _: None)

    server.start()

    postmaster = int((server.place.data / "postmaster.pid").read_text().splitlines()[0])
    owner = pwd.getpwuid(os.stat(f"/proc/{postmaster}").st_uid).pw_name
    server.stop()
    shutil.rmtree(server.place.data.parent)
    assert owner == SYSTEM_USER


def test_two_installations_do_not_share_their_data(tmp_path):
    first, second = (place_for(tmp_path / name / "var") for name in ("one", "two"))

    assert first.data != second.data
    assert first.log != second.log
