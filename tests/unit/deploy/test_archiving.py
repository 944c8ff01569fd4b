"""A log kept elsewhere is whole or not taken, and says where it is torn."""

import subprocess
from datetime import UTC, datetime

import pytest

from deploy.embedded.archiving import Recovery, archive_command, archive_settings


def segments(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"log")
    return Recovery(folder, datetime(2026, 11, 22, tzinfo=UTC))


def numbered(number, timeline=1):
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def test_files_in_a_row_make_one_history(tmp_path):
    row = [numbered(number) for number in (254, 255, 256, 257)]

    assert segments(tmp_path / "archive", *row, "00000002.history").problem() == ""


def test_a_hole_is_named(tmp_path):
    found = segments(tmp_path / "archive", *(numbered(number) for number in (254, 255, 257)))

    assert f"Between {numbered(255)} and {numbered(257)} a file is missing" in found.problem()


def test_another_timeline_begins_where_it_does(tmp_path):
    found = segments(tmp_path / "archive", numbered(3), numbered(9, timeline=2))

    assert found.problem() == ""


def test_an_empty_archive_and_none_at_all_are_refused(tmp_path):
    assert "holds no file" in segments(tmp_path / "archive", "readme").problem()
    assert "is no folder" in Recovery(tmp_path / "nowhere", None).problem()


def test_nothing_is_kept_elsewhere_unless_somebody_says_where(tmp_path):
    assert archive_settings({}, tmp_path) == {}


def kept(tmp_path, folder, content):
    """Run the command as PostgreSQL does, with its own two placeholders filled in."""
    folder.mkdir(exist_ok=True)
    told = archive_command(folder)
    (tmp_path / "segment").write_bytes(content)
    filled = told.replace("%%", "\0").replace("%p", "segment").replace("%f", "0001")
    return subprocess.run(
        ["/bin/sh", "-c", filled.replace("\0", "%")], cwd=tmp_path, check=False
    ).returncode


@pytest.mark.parametrize("name", ["archive", "with space & 100%", "it's"])
def test_a_file_is_kept_once_and_never_replaced_by_another(tmp_path, name):
    folder = tmp_path / name

    first = kept(tmp_path, folder, b"log")
    again = kept(tmp_path, folder, b"log")
    other = kept(tmp_path, folder, b"gol")

    assert (first, again) == (0, 0)
    assert other != 0
    assert [each.name for each in folder.iterdir()] == ["0001"]
    assert (folder / "0001").read_bytes() == b"log"
