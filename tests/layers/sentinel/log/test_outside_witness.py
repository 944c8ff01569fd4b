"""A witness that runs as a process of its own, asked by the log."""

import subprocess
import sys
from contextlib import contextmanager

import pytest
from django.db import connection

from sentinel.log.note import CheckpointRefused, parse_checkpoint, parse_vkey, verify_note
from sentinel.log.outside_witness import WitnessUnreachable, ask_witnesses_once, outside_witnesses
from sentinel.log.proofs import checkpoint_at, latest_checkpoint
from sentinel.log.sequencer import log_key, log_signer, run_sequencer_once
from sentinel.log.witness import WitnessRefused
from tests.layers.sentinel.log.evidence import ENTITY, Tamperer, Verdict, export, grow, held

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "witness.example/w1"


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


@contextmanager
def running(storage, *words):
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.witness", "--storage", str(storage), "--port", "0", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=30)


def started(storage, name=NAME):
    vkey = log_key(ENTITY, log_signer(ENTITY)).encoded()
    return running(storage, "--log", vkey, "--name", name)


@pytest.fixture
def witness(entity, settings, tmp_path):
    with started(tmp_path / "outside") as place:
        settings.FRONTLINE_WITNESSES = place
        yield place


def remembered(folder):
    return sorted(int(path.stem) for path in folder.glob("cosigned/*/*.checkpoint"))


def sequence():
    while run_sequencer_once():
        pass


def test_it_cosigns_what_grows_and_the_log_keeps_its_line(witness, tmp_path, capsys):
    grow(2)

    assert ask_witnesses_once() == 1

    latest = latest_checkpoint()
    key = parse_vkey(witness.partition(" ")[2])
    assert verify_note(latest.note, (key,)) == latest.checkpoint
    assert latest.is_witnessed
    sequence()
    assert ask_witnesses_once() == 1
    grow(3)
    assert ask_witnesses_once() == 1
    assert ask_witnesses_once() == 0
    assert remembered(tmp_path / "outside") == [5, 6, 12]
    checked = Verdict(capsys, export(tmp_path / "log.zip"), held())
    assert (checked.status, checked.report["witnessed_size"]) == (0, 12)


def test_a_line_that_is_none_of_its_own_silences_no_witness(witness, tmp_path):
    grow(2)
    ask_witnesses_once()
    grow(2)
    latest, forged = latest_checkpoint(), f"\u2014 {NAME} " + "A" * 102 + "==\n"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_cosign(%s, %s, %s)", [latest.size, NAME, forged])

    assert ask_witnesses_once() == 1

    assert remembered(tmp_path / "outside")[-1] >= latest.size
    found = checkpoint_at(size=latest.size)
    assert (found.is_witnessed, forged in found.note) == (True, False)


def test_a_witness_that_was_killed_after_it_remembered_is_asked_again(
    entity, settings, tmp_path, superuser_connection
):
    storage = tmp_path / "outside"
    with started(storage) as place:
        settings.FRONTLINE_WITNESSES = place
        grow(2)
        ask_witnesses_once()
    # Its answer is lost: it remembers more than the log knows of.
    Tamperer(superuser_connection).run("DELETE FROM sentinel_cosignature")
    grow(2)

    with started(storage) as place:
        settings.FRONTLINE_WITNESSES = place
        assert ask_witnesses_once() == 1

    assert remembered(storage)[0] == 5
    assert latest_checkpoint().is_witnessed


def test_a_log_that_was_cut_is_not_cosigned_and_the_alarm_says_so(
    witness, tmp_path, superuser_connection
):
    grow(2)
    grow(2)
    ask_witnesses_once()
    Tamperer(superuser_connection).truncate(5)

    with pytest.raises(WitnessRefused, match="shorter than what was witnessed outside"):
        ask_witnesses_once()

    assert not latest_checkpoint().is_witnessed


def test_a_log_that_was_rewritten_and_signed_again_is_not_cosigned(
    witness, tmp_path, superuser_connection
):
    ids = grow(2)
    ask_witnesses_once()
    grow(2)
    tamperer = Tamperer(superuser_connection)
    tamperer.edit_body(ids[1])
    tamperer.rewrite_leaf(ids[1])
    tamperer.resign()

    with pytest.raises(WitnessRefused, match="remembers another history"):
        ask_witnesses_once()

    assert remembered(tmp_path / "outside") == [5]
    assert not latest_checkpoint().is_witnessed


def test_one_that_is_away_does_not_keep_the_others_from_cosigning(witness, settings, tmp_path):
    grow(2)
    with started(tmp_path / "second", name="witness.example/w2") as second:
        gone = second
    settings.FRONTLINE_WITNESSES = f"{gone}; {witness}"

    with pytest.raises(WitnessUnreachable) as away:
        ask_witnesses_once()

    assert away.value.witness == "witness.example/w2"
    assert NAME in latest_checkpoint().note


def test_a_cosignature_by_another_key_is_not_kept(witness, settings, tmp_path):
    grow(2)
    with started(tmp_path / "second") as second:
        place = witness.partition(" ")[0]
        settings.FRONTLINE_WITNESSES = f"{place} {second.partition(' ')[2]}"

    with pytest.raises(WitnessUnreachable, match="not by its key"):
        ask_witnesses_once()

    assert not latest_checkpoint().is_witnessed


def test_one_memory_is_kept_by_one_process(witness, tmp_path):
    with started(tmp_path / "outside") as said:
        assert said == ""


def test_nobody_is_asked_about_an_empty_log_or_without_witnesses(witness, settings):
    assert ask_witnesses_once() == 0
    grow(1)
    settings.FRONTLINE_WITNESSES = " ; "
    assert ask_witnesses_once() == 0


def test_a_key_that_is_no_witness_s_is_refused(entity, settings):
    vkey = log_key(ENTITY, log_signer(ENTITY)).encoded()
    settings.FRONTLINE_WITNESSES = f"http://127.0.0.1:1 {vkey}"

    with pytest.raises(CheckpointRefused):
        outside_witnesses()


def test_what_it_remembers_is_the_checkpoint_as_the_log_signed_it(witness, tmp_path):
    grow(2)
    ask_witnesses_once()

    (kept,) = (tmp_path / "outside").glob("cosigned/*/*.checkpoint")
    assert parse_checkpoint(kept.read_text()).size == 5
