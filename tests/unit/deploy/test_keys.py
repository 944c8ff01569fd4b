"""Keys are made once and readable by their owner only."""

import os
from concurrent.futures import ThreadPoolExecutor

from deploy.keys import key_in


def test_key_is_made_once_and_stays(tmp_path):
    first = key_in(tmp_path / "keys", "secret")

    second = key_in(tmp_path / "keys", "secret")

    assert len(bytes.fromhex(first)) == 32
    assert second == first
    assert key_in(tmp_path / "keys", "other") != first


def test_key_and_its_folder_are_for_the_owner_alone(tmp_path):
    umask = os.umask(0)
    try:
        key_in(tmp_path / "keys", "secret")
    finally:
        os.umask(umask)

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["secret"]


def test_many_that_ask_at_once_get_one_key(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: key_in(tmp_path / "keys", "secret"), range(64)))

    assert len(made) == 1
