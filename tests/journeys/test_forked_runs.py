"""A run is forked into the sandbox at any event, walked on there, and nothing of it happens."""

import json
import re
from html import unescape

import pytest
from django.test import Client
from psycopg import sql

from orchestration.durable import store
from orchestration.public import (
    Move,
    NotForYourRole,
    TaskFilters,
    TryRefused,
    TryScript,
    fork_run,
    tasks,
)
from tests import postgres
from tests.journeys.test_hostile_browser import signed_in
from tests.journeys.test_reading_by_role import task  # noqa: F401  (a fixture)
from tests.journeys.test_send_money import ASK, card_of

# Reading is on record, and nothing else of a fork may be.
READING = {
    "django_session",
    "interaction_user",
    "orch_access",
    "sentinel_pending",
    "sentinel_record",
}
PAID = "A payment the customer confirms is made"


def everything(superuser):
    """Return every row of the bank with the transaction that wrote it."""
    names = [
        name
        for (name,) in superuser.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        if name not in READING and not name.startswith("sentinel_record_")
    ]
    found = {}
    for name in names:
        query = sql.SQL(
            "SELECT count(*), md5(string_agg(t.xmin::text || t::text, '' ORDER BY t::text))"
            " FROM {} t"
        )
        found[name] = superuser.execute(query.format(sql.Identifier(name))).fetchone()
    assert found["orch_instance"][0] > 0
    return found


def payment_of(superuser):
    ((found,),) = superuser.execute(
        "SELECT id FROM orch_instance WHERE process = 'send_money'"
    ).fetchall()
    return found


@pytest.fixture
def superuser(bank):
    with postgres.databases.superuser(postgres.name) as connection:
        yield connection


@pytest.fixture
def paid(bank, superuser):
    """A payment that was made, from the wish to the receipt."""
    chat = bank.chat()
    confirmed = chat.answers(card_of(chat.says(ASK), "confirm_payment"), answer="confirm")
    chat.answers(card_of(confirmed, "step_up"), answer="code", code=chat.code())
    run = payment_of(superuser)
    assert store.read_instance(run).status == "completed"
    return run


@pytest.fixture
def fork(bank):
    def forked(run, seq, *moves, who="carla", story=""):
        return fork_run(
            instance_id=run,
            seq=seq,
            script=TryScript(scenario=story, moves=moves),
            principal=bank.employees[who],
            at=bank.clock.now(),
        )

    return forked


def test_a_payment_is_forked_after_each_of_its_events(fork, paid, superuser):
    before, history = everything(superuser), store.history_of(paid)

    forks = [fork(paid, line.seq) for line in history]

    assert everything(superuser) == before
    assert [each.origin.seq for each in forks] == list(range(len(history)))
    assert {each.origin.last_seq for each in forks} == {len(history) - 1}
    assert [each.view.at for each in forks] == [line.at for line in history]
    # Everywhere something is asked, until it is over; and what had happened is told.
    assert [each.view.is_ended for each in forks] == [False] * (len(forks) - 1) + [True]
    assert all(each.view.questions or each.view.clock for each in forks[:-1])
    assert [len(each.view.lines) for each in forks] == sorted(
        len(each.view.lines) for each in forks
    )
    assert all(each.view.sent == () for each in forks)


def test_a_fork_goes_on_with_mocked_connectors_and_pays_nothing(fork, paid, superuser):
    before = everything(superuser)
    (asked_at,) = (
        line.seq
        for line in store.history_of(paid)
        if {each.node for each in fork(paid, line.seq).view.questions} == {"fraud"}
    )

    ended = fork(paid, asked_at, Move("end"), story=PAID)

    assert everything(superuser) == before
    assert (ended.view.is_ended, ended.view.status) == (True, "completed")
    assert ended.view.path[-1] == "end_paid"
    known = {each.name: json.loads(each.value) for each in ended.view.variables}
    # The data is the run's own, the receipt that of the mocked core.
    assert known["amount"] == {"minor_units": 25000, "currency": "EUR"}
    assert known["receipt"]["reference"] == "T-2026-0001"


def test_a_fork_takes_another_way_than_the_run_took(fork, paid, superuser):
    before = everything(superuser)
    asked = next(
        (line.seq, question)
        for line in store.history_of(paid)
        for question in fork(paid, line.seq).view.questions
        if question.node == "confirm"
    )
    seq, question = asked
    said = Move("answer", "confirm", question.visit, '{"done": {"answer": "cancel"}}')

    cancelled = fork(paid, seq, said)

    assert everything(superuser) == before
    assert cancelled.view.is_ended
    assert "pay" not in cancelled.view.path
    assert store.read_instance(paid).status == "completed"


@pytest.mark.parametrize("seq", [-1, 10_000])
def test_an_event_that_never_was_is_refused(fork, paid, seq, superuser):
    before = everything(superuser)

    with pytest.raises(TryRefused) as refused:
        fork(paid, seq)

    assert refused.value.reason == "seq_unknown"
    assert everything(superuser) == before


def state_in(page):
    return re.search(r'name="state" value="([^"]+)"', page).group(1)


def test_the_page_begins_at_the_event_names_its_origin_and_walks_on(
    bank,
    task,  # noqa: F811
    superuser,
):
    run = payment_of(superuser)
    omar, last = signed_in("omar"), store.read_instance(run).rev - 1
    history = omar.get(f"/workspace/running/{run}/").content.decode()
    assert f'href="/workspace/running/{run}/fork/?at={last}"' in history
    before, address = everything(superuser), f"/workspace/running/{run}/fork/"

    shown = omar.get(f"{address}?at={last}")

    page = unescape(shown.content.decode())
    assert shown.status_code == 200
    assert "Fork of send money" in page.replace("Send", "send")
    assert f"after its event {last} of 0 to {last}" in page
    assert "The run stays as it is" in page
    (waits,) = tasks(principal=bank.employees["omar"], filters=TaskFilters(kind="call_back"))
    said = {"state": state_in(page), "do": "clock"}
    moved = omar.post(address, said)
    assert moved.status_code == 200
    assert state_in(moved.content.decode()) != said["state"]
    refused = omar.post(address, {**said, "do": "step"})
    assert refused.status_code == 422
    assert "There is no scenario" in refused.content.decode()
    assert everything(superuser) == before
    assert tasks(principal=bank.employees["omar"], filters=TaskFilters(kind="call_back")) == (
        waits,
    )


def test_the_page_is_not_for_those_who_may_not_see_the_case(
    bank,
    task,  # noqa: F811
    superuser,
):
    run = payment_of(superuser)
    address = f"/workspace/running/{run}/fork/"

    assert signed_in("eva").get(address).status_code == 403
    assert signed_in("anna").get(address).status_code in {302, 403}
    assert Client().get(address).status_code == 302
    assert signed_in("carla").get(address).status_code == 200
    omar = signed_in("omar")
    assert omar.get(f"{address}?at=10000").status_code == 422
    assert omar.get(f"{address}?at=x").status_code == 404
    assert omar.get(f"/workspace/running/{bank.employees['omar'].person_id}/fork/").status_code in {
        404
    }
    assert omar.post(address, {"state": "made up", "do": "clock"}).status_code == 404


def test_a_payment_of_nobody_elses_business_is_refused_on_record(fork, paid, superuser):
    before = everything(superuser)

    with pytest.raises(NotForYourRole):
        fork(paid, 0, who="omar")

    assert everything(superuser) == before
