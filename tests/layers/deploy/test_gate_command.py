"""After a restore nothing is decided or spent before the gate is opened, and the log says so."""

import json
from io import StringIO
from uuid import UUID

import psycopg
import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from deploy.reconciliation import reconcile_nightly
from sentinel.log.note import Checkpoint, origin_of, signed_note
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.sequencer import log_signer, run_sequencer_once
from sentinel.log.witness import memory_of, run_witness_once
from sentinel.public import TokenRefused, foresee, gate, legal_entity, prove_log
from sentinel.vocabulary import Verdict
from tests.authority import (
    confirmed,
    count,
    customer,
    decided,
    facts,
    found_bank,
    now,
    payment,
    release,
    spent,
    throw,
)
from tests.small_core import SmallCore

NL = "meridian-nl"
BACKUP = UUID(int=7)
WHY = "The disk of this morning is lost"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def places(settings, tmp_path, entity, superuser_connection):
    found_bank()
    with transaction.atomic():
        SmallCore()
    settings.FRONTLINE_WITNESS_DIR = tmp_path / "witness"
    info = superuser_connection.info
    settings.DATABASE_ADMINISTRATOR = {
        **configured.DATABASE_ADMINISTRATOR,
        "HOST": info.host,
        "NAME": info.dbname,
        "USER": info.user,
    }


@pytest.fixture
def restored(superuser_connection):
    def restore():
        with superuser_connection.transaction():
            superuser_connection.execute("SET LOCAL ROLE frontline_owner")
            superuser_connection.execute("SELECT sentinel_after_restore(%s)", [BACKUP])

    return restore


def sealed():
    while run_sequencer_once():
        pass


def said(*arguments):
    """Return what the command says of one legal entity, and its exit status."""
    out = StringIO()
    try:
        call_command("gate", *map(str, arguments), "--entity", NL, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    return out.getvalue(), 0


def missing():
    told, status = said("status", "--json")
    (state,) = json.loads(told)
    return [each["name"] for each in state["conditions"] if not each["is_met"]], status


def refused(*arguments):
    with pytest.raises(CommandError) as error:
        said(*arguments)
    return str(error.value), error.value.returncode


def seen_elsewhere(tmp_path, size, *, root=bytes(32), entity=NL):
    """Keep a checkpoint as a witness would, signed by the log's own key."""
    with legal_entity(entity=entity):
        note = signed_note(Checkpoint(origin_of(entity), size, root), log_signer(entity))
    file = tmp_path / f"{size:015d}.checkpoint"
    file.write_text(note)
    return file


def newest(kind):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM sentinel_record WHERE kind = %s ORDER BY recorded_at DESC", [kind]
        )
        return [json.loads(bytes(body))["content"] for (body,) in cursor.fetchall()]


def test_a_bank_never_restored_has_an_open_gate():
    told, status = said("status")

    assert (told.strip(), status) == (f"{NL}  open: nothing was ever restored", 0)
    assert said("open") == ("Nothing to do.\n", 0)


def test_nothing_is_decided_foreseen_or_spent_while_the_gate_is_shut(restored):
    restored()

    decision = decided(payment(), customer())
    foreseen = foresee(
        action=payment(), principal=customer(), facts=facts(), purpose="payments", at=now()
    )

    assert (decision.verdict, decision.token) == (Verdict.DENY, None)
    assert [each.policy_id for each in decision.reasons] == ["gate_shut"]
    assert [each.policy_id for each in foreseen.reasons] == ["gate_shut"]
    assert newest("refused")[0]["steps"][0][1] == "gate_shut"


def test_the_database_spends_no_permit_that_came_after_the_restore(restored, superuser_connection):
    # A permit whose epoch is new: only the gate stands before it.
    action, person = payment(), customer()
    permit = confirmed(action, person)
    before = count("sentinel_redemption")
    superuser_connection.execute(
        "INSERT INTO sentinel_gate (entity, backup, epoch, size) VALUES (%s, %s, 0, 0)",
        [NL, BACKUP],
    )

    with pytest.raises(TokenRefused) as error:
        spent(permit, action)

    assert error.value.reason == "gate_shut"
    assert count("sentinel_redemption") == before


def test_permits_of_what_was_lost_have_an_epoch_below_the_new_one(restored):
    throw("agents")
    release("agents")
    before = gate()

    restored()

    found = gate()
    assert before is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(position) FROM sentinel_kill_switch WHERE scope <> 'all'")
        (turned,) = cursor.fetchone()
    # Somebody may have turned switches in what was lost; nobody turned a million.
    assert found.epoch > turned + 1_000_000
    assert found.is_epoch_risen


def test_a_kill_switch_is_turned_while_the_gate_is_shut(restored):
    restored()

    throw("agents")

    with connection.cursor() as cursor:
        cursor.execute("SELECT is_stopped FROM sentinel_kill_switch WHERE scope = 'agents'")
        assert cursor.fetchall() == [(True,)]


def test_the_status_names_what_is_missing_until_nothing_is(restored, tmp_path):
    sealed()
    run_witness_once()
    restored()

    assert missing() == (["log", "statements"], 1)
    told, _ = said("continue")
    assert "holds all" in told
    assert missing() == (["statements"], 1)
    words, status = refused("open")
    assert (words, status) == (f"{NL}: missing: statements", 2)
    assert reconcile_nightly()
    assert missing() == ([], 3)

    assert said("open") == (f"{NL}  the gate is open\n", 0)

    assert missing() == ([], 0)
    action = payment()
    assert spent(confirmed(action, customer()), action).parameters
    (opened,) = newest("gate_opened")
    assert (opened["backup"], opened["epoch"]) == (str(BACKUP), gate().epoch)
    sealed()
    assert prove_log().faults == ()


def test_a_comparison_from_before_the_restore_does_not_count(restored):
    assert reconcile_nightly()
    restored()
    assert "statements" in missing()[0]

    # It is done once a day, and once more because it is owed.
    assert reconcile_nightly()
    assert not reconcile_nightly()

    assert "statements" not in missing()[0]


def test_a_log_shorter_than_was_witnessed_goes_on_only_when_somebody_says_why(restored, tmp_path):
    sealed()
    run_witness_once()
    size = latest_checkpoint().size
    restored()
    file = seen_elsewhere(tmp_path, size + 5)

    words, status = refused("continue", "--witnessed", file)

    assert status == 2
    assert f"records {size} to {size + 4} were witnessed and are not in what was put back" in words
    assert not gate().is_continued
    told, _ = said("continue", "--witnessed", file, "--reason", WHY)
    assert f"records {size} to {size + 4} are lost, and the log says so" in told
    (leaf,) = newest("log_continued")
    assert leaf == {
        "backup": str(BACKUP),
        "lost": {"first": size, "last": size + 4},
        "reason": WHY,
        "size": size,
        "witnessed": {"root": bytes(32).hex(), "size": size + 5},
    }
    sealed()
    assert prove_log().faults == ()


def test_the_local_witness_waits_and_then_remembers_anew(restored, tmp_path):
    sealed()
    run_witness_once()
    size = latest_checkpoint().size
    lost = memory_of(NL).folder / f"{size + 5:015d}.checkpoint"
    lost.write_text(seen_elsewhere(tmp_path, size + 5).read_text())
    restored()
    sealed()
    assert run_witness_once() == 0

    said("continue", "--reason", WHY)

    assert run_witness_once() == 1
    aside = memory_of(NL).folder.with_name(f"{NL}.before-{BACKUP}")
    assert len(list(aside.iterdir())) == 2
    assert [each.name for each in memory_of(NL).folder.iterdir()] != []


def test_a_log_that_is_another_one_is_never_continued(restored, tmp_path):
    sealed()
    size = latest_checkpoint().size
    restored()
    file = seen_elsewhere(tmp_path, size - 1)

    words, status = refused("continue", "--witnessed", file, "--reason", WHY)

    assert status == 2
    assert f"holds other records than were witnessed at {size - 1}" in words
    assert not gate().is_continued


def test_a_checkpoint_nobody_signed_proves_nothing(restored, tmp_path):
    sealed()
    restored()
    file = seen_elsewhere(tmp_path, 1)
    file.write_text(file.read_text().replace("\n1\n", "\n2\n"))

    words, status = refused("continue", "--witnessed", file, "--reason", WHY)

    assert status == 2
    assert "no trusted key signed this checkpoint" in words


def test_without_any_witness_somebody_says_why(restored):
    restored()

    words, status = refused("continue")
    told, _ = said("continue", "--reason", WHY)

    assert (status, "no witness remembers this log" in words) == (2, True)
    assert "without a witness" in told
    assert newest("log_continued")[0]["witnessed"] is None


def test_the_application_moves_no_gate(restored):
    restored()

    for statement in (
        "UPDATE sentinel_gate SET opened_at = now(), continued_at = now()",
        "DELETE FROM sentinel_gate",
        "SELECT sentinel_continue_log(NULL, '', false, 'because I say so')",
        f"SELECT sentinel_open_gate('{BACKUP}')",
    ):
        with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_owner_opens_no_gate_before_the_log_goes_on(restored, superuser_connection):
    restored()

    with pytest.raises(psycopg.Error, match="something is missing"):
        superuser_connection.execute(
            "SELECT set_config('frontline.entity', %s, false), sentinel_open_gate(%s)",
            [NL, BACKUP],
        )


def test_a_second_restore_shuts_what_was_continued(restored):
    restored()
    said("continue", "--reason", WHY)

    restored()

    assert not gate().is_continued
    assert count("sentinel_gate") == 1
