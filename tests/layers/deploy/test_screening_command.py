"""`manage.py screening`: load a list, show those in force, refuse what is none."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

import grand_central.public
from tests.authority import found_bank, now


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "Invented List.csv"
    path.write_text("id,name,kind,programme\ns-1,Tarquel Obendrik,person,P\n")
    return path


def command(*arguments):
    told = io.StringIO()
    call_command("screening", *map(str, arguments), stdout=told)
    return told.getvalue()


def test_a_list_is_loaded_once_and_shown_with_its_version_and_age(entity, path):
    found_bank()

    told = command("load", path, "--list-version", "2026-11")

    assert "invented-list version 2026-11, 1 entries, loaded 0 days ago" in told
    assert "in force already" in command("load", path, "--list-version", "2026-11")
    found = grand_central.public.screen(name="Tarquel Obendrik", country="NL", at=now())
    assert (found.status, found.list_version) == ("hit", "2026-11")
    assert "invented-list" in command("list")


def test_a_file_that_is_no_list_changes_nothing(entity, tmp_path):
    found_bank()
    path = tmp_path / "x.csv"
    path.write_text("hello")

    with pytest.raises(CommandError, match=r"x\.csv"):
        command("load", path)

    assert grand_central.public.screening_lists() == ()
