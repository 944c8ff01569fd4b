"""Tokens and effects without a partner become cases, each once; what is not ours does not."""

import io
import json
from datetime import UTC, datetime
from http.client import HTTPConnection
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

import grand_central.public
from deploy.reconciliation import reconcile, reconcile_nightly
from deploy.simulators.card_books import STATEMENT_LINES_MAX
from grand_central.public import reconciliations
from orchestration.public import raise_case
from sentinel.entities import LegalEntity, legal_entity, register_legal_entity
from tests.authority import found_bank
from tests.layers.orchestration.test_outside_effects import processor, simulator
from tests.small_core import SmallCore

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["processor", "simulator"]
AT = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.fixture
def core(entity):
    found_bank()
    with transaction.atomic():
        return SmallCore()


def compared():
    return reconcile(asked_by="system:test", at=AT)


def paid(core):
    with transaction.atomic():
        account = core.open()
        core.fund(account, 100)
        _, token, _, _ = core.pay(account, "NL91ABNA0417164300", 60)
    return token


def rows(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def cases():
    return rows("SELECT id, title, state FROM orch_case WHERE journey = 'reconciliation'")


def tasks():
    return rows("SELECT case_id, roles FROM orch_task WHERE form_key = 'found' AND state = 'open'")


def forge(superuser_connection: psycopg.Connection, sql, *parameters):
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        assert superuser_connection.execute(sql, parameters).rowcount > 0


def book(superuser_connection, category="", debit="customer_current", credit="clearing"):
    """Book a posting in the core past Frontline, as another channel would."""
    token = uuid4()
    forge(
        superuser_connection,
        "INSERT INTO ledger_transfer (id, entity, debit_account, credit_account, amount, currency,"
        " code, kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,"
        " end_to_end_id, category_hint, token) SELECT gen_random_uuid(), 'meridian-nl', d.id, c.id,"
        " 5, 'EUR', 1, 0, now(), now(), '', '', '', '', %s, %s FROM ledger_account d,"
        " ledger_account c WHERE d.kind = %s AND c.kind = %s AND d.id <> c.id LIMIT 1",
        category,
        token,
        debit,
        credit,
    )
    return token


def kinds(reconciled):
    return {(each.kind, each.subject) for each in reconciled.differences}


def settle_all(monkeypatch):
    """As if every permit of this core had expired long ago."""
    monkeypatch.setattr("grand_central.reconciling.AGE_SECONDS_MIN", -3600)
    grand_central.public.reconcile_once()


def test_sound_books_have_no_differences_and_open_no_case(core, monkeypatch):
    paid(core)
    settle_all(monkeypatch)

    found = compared()

    assert (found.differences, found.cases_opened, cases()) == ((), 0, [])
    assert (found.run.differences, found.run.waiting) == (0, 0)
    assert found.run.permits == found.run.executions > 0


def test_an_effect_nobody_allowed_opens_one_case_for_operations(core, superuser_connection):
    paid(core)
    token = book(superuser_connection)

    first, second = compared(), compared()

    assert kinds(first) == kinds(second) == {("effect_without_token", token)}
    assert (first.cases_opened, second.cases_opened) == (1, 0)
    ((case_id, title, state),) = cases()
    assert (title, state) == ("An effect nobody allowed", "open")
    assert tasks() == [(case_id, ["operations"])]
    assert second.differences[0].case_id == case_id


@pytest.mark.parametrize(
    ("category", "debit", "credit", "is_expected"),
    [
        ("interest", "expense", "customer_current", True),
        ("fee", "customer_current", "income", True),
        ("cash_machine", "customer_current", "clearing", True),
        # The category alone excuses nothing.
        ("fee", "customer_current", "clearing", False),
        ("interest", "clearing", "equity", False),
        ("groceries", "customer_current", "clearing", False),
    ],
)
def test_what_comes_rightly_from_elsewhere_is_counted_and_raises_nothing(
    core, superuser_connection, category, debit, credit, is_expected
):
    paid(core)
    with transaction.atomic():
        core.open(kind="income", party=None, flags=0)
        core.open(kind="expense", party=None, flags=0)
    token = book(superuser_connection, category, debit, credit)

    found = compared()

    assert sum(found.run.expected.values()) == is_expected
    assert kinds(found) == (set() if is_expected else {("effect_without_token", token)})


def test_done_on_record_and_not_at_the_core_is_found(core, monkeypatch, superuser_connection):
    token = paid(core)
    settle_all(monkeypatch)
    forge(superuser_connection, "DELETE FROM gc_execution WHERE token = %s", token)
    forge(superuser_connection, "DELETE FROM ledger_transfer WHERE token = %s", token)

    assert kinds(compared()) == {("done_without_effect", token)}


def test_failed_on_record_and_done_at_the_core_is_found(core, monkeypatch, superuser_connection):
    token = paid(core)
    settle_all(monkeypatch)
    forge(
        superuser_connection,
        "UPDATE sentinel_outcome SET kind = 'failed' WHERE decision_id = %s",
        token,
    )

    assert kinds(compared()) == {("effect_despite_failure", token)}


def test_a_posting_the_core_does_not_state_is_found(core, monkeypatch, superuser_connection):
    token = paid(core)
    settle_all(monkeypatch)
    forge(superuser_connection, "DELETE FROM gc_execution WHERE token = %s", token)
    forge(superuser_connection, "DELETE FROM sentinel_outcome WHERE decision_id = %s", token)

    assert ("effect_not_stated", token) in kinds(compared())


def late(superuser_connection, token, seconds):
    forge(
        superuser_connection,
        "UPDATE sentinel_decision SET expires_at = clock_timestamp() - make_interval(secs => %s)"
        " WHERE id = %s",
        seconds,
        token,
    )


def test_a_token_is_an_orphan_only_after_the_window_of_its_system(core, superuser_connection):
    token = core.permit("payments.transfer", "transfer/v1|x|NL91ABNA0417164300|1|EUR")
    late(superuser_connection, token, 60)

    early = compared()
    late(superuser_connection, token, 300)
    found = compared()

    assert early.differences == ()
    assert kinds(found) == {("token_without_outcome", token)}
    assert found.cases_opened == 1


def test_not_found_outside_says_nothing_before_its_finality_window(core, superuser_connection):
    token = core.permit("cards.stop", f"card/v1|{uuid4()}|lost")
    late(superuser_connection, token, 300)

    early = compared()
    late(superuser_connection, token, 86_400)

    assert (early.differences, early.run.waiting) == ((), 1)
    assert kinds(compared()) == {("token_without_outcome", token)}


def test_a_difference_that_is_gone_is_no_longer_open_and_keeps_its_case(
    core, monkeypatch, superuser_connection
):
    token = core.permit("payments.transfer", "transfer/v1|x|NL91ABNA0417164300|1|EUR")
    late(superuser_connection, token, 300)
    ((before,),) = [[each.case_id for each in compared().differences]]
    settle_all(monkeypatch)

    after = compared()

    assert after.differences == ()
    (known,) = grand_central.public.statement_differences(is_open=False)
    assert (known.subject, known.case_id) == (token, before)
    assert known.gone_at is not None
    assert len(cases()) == 1


def test_it_runs_once_a_day_and_opens_what_a_dead_process_left(core, superuser_connection):
    paid(core)
    book(superuser_connection)
    # A process that compared and died before it opened a case.
    grand_central.public.compare_statements(asked_by="system:nightly")
    assert cases() == []

    assert reconcile_nightly() is False

    assert len(cases()) == 1
    assert len(grand_central.public.reconciliations()) == 1


def test_a_new_day_is_compared_anew(core, superuser_connection):
    assert reconcile_nightly() is True
    assert reconcile_nightly() is False
    forge(
        superuser_connection,
        "UPDATE gc_reconciliation SET compared_at = compared_at - interval '1 day'",
    )

    assert reconcile_nightly() is True
    assert [each.asked_by for each in grand_central.public.reconciliations()] == [
        "system:nightly"
    ] * 2


def run(*words):
    out = io.StringIO()
    try:
        call_command("reconcile", *words, stdout=out)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_what_differs_and_ends_with_one(core, monkeypatch, superuser_connection):
    paid(core)
    settle_all(monkeypatch)
    sound, words = run("--entity", "meridian-nl")
    token = book(superuser_connection)

    status, told = run("--entity", "meridian-nl", "--json")

    assert sound == 0
    assert "waiting 0; of other origins: none" in words
    assert status == 1
    (difference,) = json.loads(told)["meridian-nl"]["differences"]
    assert (difference["kind"], difference["token"]) == ("effect_without_token", str(token))
    assert UUID(difference["case"]) == cases()[0][0]
    assert str(token) in run("--entity", "meridian-nl")[1]


def test_the_command_knows_its_legal_entities(core):
    with pytest.raises(CommandError, match="no legal entity nowhere"):
        run("--entity", "nowhere")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[",
        '[{"name": "all", "why": "it excuses everything", "categories": [],'
        ' "debit_kinds": ["x"], "credit_kinds": ["y"]}]',
        '[{"name": "fees", "why": "short", "categories": ["fee"],'
        ' "debit_kinds": ["x"], "credit_kinds": ["y"]}]',
    ],
)
def test_an_unsound_declaration_excuses_nothing(core, settings, tmp_path, text):
    place = tmp_path / f"{uuid4()}.json"
    place.write_text(text)
    settings.EXPECTED_ORIGINS_FILE = place

    with pytest.raises(grand_central.public.OriginsRefused):
        compared()

    assert grand_central.public.reconciliations() == []


def test_a_case_is_raised_once_for_its_id(core):
    given = {
        "case_id": uuid4(),
        "journey": "reconciliation",
        "title": "Something",
        "words": "It was found.",
        "role": "operations",
        "at": AT,
    }

    assert [raise_case(**given), raise_case(**given)] == [True, False]
    assert (len(cases()), len(tasks())) == (1, 1)


def done_outside(processor):
    """Have the processor stop a card under a token that we know nothing of."""
    token, card = uuid4(), uuid4()
    later = datetime(2100, 1, 1, tzinfo=UTC).isoformat()
    there = HTTPConnection("127.0.0.1", processor.port, timeout=5)
    headers = {
        "Authorization": f"Bearer {settings.CARD_PROCESSOR_KEY}",
        "Idempotency-Key": str(token),
        "Valid-Until": later,
        "Content-Type": "application/json",
    }
    there.request("POST", f"/v1/cards/{card}/stop", b'{"reason": "stolen"}', headers)
    response = there.getresponse()
    response.read()
    there.close()
    assert response.status == 200
    return token


def test_what_a_system_outside_did_without_a_token_becomes_a_case(core, processor):
    """As after a restore: the order was redeemed in what was lost."""
    # More than a page of its statement, so that the last one is read, too.
    tokens = [done_outside(processor) for _ in range(STATEMENT_LINES_MAX + 1)]

    found = compared()

    assert kinds(found) >= {("effect_without_token", token) for token in tokens}
    assert found.run.unanswered == ()
    (difference,) = [each for each in found.differences if each.subject == tokens[-1]]
    assert "A system outside states that it was done" in difference.words
    assert difference.case_id in {case for case, _, _ in cases()}


def test_a_silent_system_outside_is_named_and_takes_nothing_back(core, processor):
    token = done_outside(processor)
    compared()
    processor.kill()
    try:
        silent = compared()
    finally:
        processor.start()

    assert silent.run.unanswered == ("card-processor",)
    assert ("effect_without_token", token) in kinds(silent)
    assert reconciliations(limit=1)[0].unanswered == ("card-processor",)


def test_another_legal_entity_does_not_look_into_the_same_statement(core, processor):
    token = done_outside(processor)

    with legal_entity(entity="meridian-zz"):
        register_legal_entity(registered=LegalEntity("meridian-zz", "Meridian Z", "NL", "EUR"))
        found = compared()

    assert ("effect_without_token", token) not in kinds(found)
