"""Data of another release of PostgreSQL is left alone, and the way out is named."""

import shutil

import pytest

from deploy.embedded.place import EmbeddedUnavailable, place_for
from deploy.embedded.server import AlreadyRunning, EmbeddedPostgres
from tests.databases import fresh_home


@pytest.fixture
def installation():
    home = fresh_home()
    yield home
    shutil.rmtree(home)


def test_data_of_another_release_is_refused_untouched(installation):
    data = place_for(installation).data
    (data / "PG_VERSION").write_text("16\n")
    server = EmbeddedPostgres(installation, lambda _: None)

    with pytest.raises(EmbeddedUnavailable) as refusal:
        server.start()
    server.stop()

    assert "PostgreSQL 16" in refusal.value.reason
    assert "pg_dump" in refusal.value.reason
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_one_installation_runs_one_server(installation):
    first = EmbeddedPostgres(installation, lambda _: None)
    first.start()
    second = EmbeddedPostgres(installation, lambda _: None)

    with pytest.raises(AlreadyRunning):
        second.start()

    assert first.is_running()
    first.stop()


def test_an_interrupted_first_run_is_taken_up_again(installation):
    data = place_for(installation).data
    (data / "new").mkdir()
    (data / "base").mkdir()
    (data / "base" / "half").write_text("x")
    server = EmbeddedPostgres(installation, lambda _: None)

    server.start()

    assert server.is_running()
    assert not (data / "base" / "half").exists()
    server.stop()


def test_data_folder_and_socket_are_private(installation):
    server = EmbeddedPostgres(installation, lambda _: None)
    socket_folder = server.start()

    assert socket_folder.stat().st_mode & 0o777 == 0o700
    assert (socket_folder / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700
    server.stop()


def test_a_path_too_long_for_a_socket_gets_a_private_folder(installation):
    deep = installation / ("a folder with a long name " * 5).strip()
    server = EmbeddedPostgres(deep, lambda _: None)

    socket_folder = server.start()

    assert server.is_running()
    assert not socket_folder.is_relative_to(deep)
    assert socket_folder.stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not socket_folder.exists()
