"""What a browser in the wrong hands gets from the pages: nothing that is not its own."""

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

import interaction.public
import orchestration.public
from interaction.models import User

ENTITY = "meridian-nl"
ASK = "pay Hendriks Vastgoed 250 euro for the rent"


def signed_in(username: str, *, checks_csrf: bool = False) -> Client:
    """Return a browser in which somebody of the sample bank is signed in."""
    user = User.objects.get(username=username)
    browser = Client(enforce_csrf_checks=checks_csrf, raise_request_exception=False)
    browser.force_login(user, backend="interaction.identity.EntityBackend")
    session = browser.session
    session.update(
        {
            "entity": ENTITY,
            "authenticated_at": user.last_login.isoformat(),
            "methods": ["pwd"],
        }
    )
    session.save()
    return browser


@pytest.fixture
def others(bank) -> User:
    """Return a customer who is not Anna."""
    return User.objects.filter(principal_kind="customer").exclude(username="anna").first()


def card_of(customer_id: UUID) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM core_card WHERE party_id = %s LIMIT 1", [customer_id])
        return cursor.fetchone()[0]


def account_of(customer_id: UUID) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_account WHERE party_id = %s LIMIT 1", [customer_id])
        return cursor.fetchone()[0]


def flows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_instance")
        return cursor.fetchone()[0]


def a_case(bank) -> tuple[UUID, UUID]:
    """Return a case of Anna's and its open task, which is an adviser's or operations'."""
    reply = bank.chat().says("I would like to talk to a person")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT case_id, id FROM orch_task WHERE case_id = %s AND state = 'open'",
            [reply.case_id],
        )
        return cursor.fetchone()


@pytest.mark.parametrize(
    "address",
    [
        "/workspace/",
        "/workspace/cases/",
        "/workspace/customers/?q=an",
        "/console/",
        "/console/log/",
        "/console/log/evidence/",
        "/console/rules/",
    ],
)
def test_a_customer_opens_no_page_of_the_bank(bank, address):
    assert signed_in("anna").get(address).status_code == 403


@pytest.mark.parametrize("username", ["eva", "omar", "fatima", "lucas"])
def test_only_compliance_opens_the_console(bank, username):
    assert signed_in(username).get("/console/").status_code == 403
    assert signed_in(username).get("/app/").status_code == 403


@pytest.mark.parametrize("page", ["accounts/{}/", "payments/{}/", "payments/{}/thread/"])
def test_another_customers_pages_are_not_there(bank, others, page):
    anna = bank.chat()
    wanted = account_of(bank.customer_id)
    if "payments" in page:
        wanted = next(card.id for card in anna.says(ASK).cards)

    assert signed_in(others.username).get(f"/app/{page.format(wanted)}").status_code == 404


def test_another_customers_card_is_neither_answered_nor_blocked(bank, others):
    waiting = next(card.id for card in bank.chat().says(ASK).cards)
    thief, before = signed_in(others.username), (flows(), bank.transfers())

    answered = thief.post(f"/app/chat/cards/{waiting}/", {"answer": "confirm"})
    blocked = thief.post(
        f"/app/cards/{card_of(bank.customer_id)}/block/", {"sent_id": str(uuid4())}
    )

    assert (answered.status_code, blocked.status_code) == (404, 404)
    assert (flows(), bank.transfers()) == before


@pytest.mark.parametrize("sent_id", ["", "short", "x" * 5_000, "../../..", "ab\ncdefgh"])
def test_a_form_without_a_usable_id_begins_nothing(bank, sent_id):
    anna, before = signed_in("anna"), flows()
    card = card_of(bank.customer_id)

    assert anna.post(f"/app/cards/{card}/block/", {"sent_id": sent_id}).status_code == 400
    form = {"sent_id": sent_id, "amount": "10", "account": str(account_of(bank.customer_id))}
    assert anna.post("/app/payments/new/", form).status_code == 400
    assert flows() == before


def test_an_answer_that_a_card_does_not_take_is_refused_in_words(bank):
    browser = signed_in("anna")
    sent = {"text": ASK, "sent_id": str(uuid4())}
    assert browser.post("/app/chat/", sent).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_card WHERE kind = 'confirm_payment'")
        card_id = cursor.fetchone()[0]
    before = (flows(), bank.transfers())

    answer = browser.post(f"/app/chat/cards/{card_id}/", {"answer": "code", "code": "000000"})

    assert answer.status_code == 400
    assert (flows(), bank.transfers()) == before


@pytest.mark.parametrize(
    "address", ["/app/accounts/{}/?before=x", "/app/accounts/{}/?before=2026-01-01|%D9%A1"]
)
def test_an_address_that_was_made_up_breaks_nothing(bank, address):
    wanted = address.format(account_of(bank.customer_id))

    assert signed_in("anna").get(wanted).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("days=99999999999999", 200),
        ("days=%D9%A1", 200),
        ("case=x", 200),
        ("after=x", 404),
        ("q=%00", 400),
    ],
)
def test_made_up_filters_break_nothing_in_the_console(bank, query, status):
    assert signed_in("carla").get(f"/console/?{query}").status_code == status


@pytest.mark.parametrize("field", ["username", "password", "entity", "next"])
def test_zero_characters_are_refused_before_anything_is_stored(bank, field):
    form = {"entity": ENTITY, "username": "anna", "password": "x", field: "a\0b"}

    assert Client(raise_request_exception=False).post("/sign-in/", form).status_code == 400
    text = {"text": "a\0b", "sent_id": str(uuid4())}
    assert signed_in("anna").post("/app/chat/", text).status_code == 400


@pytest.mark.parametrize("verb", ["claim", "give-back", "answer", "return"])
def test_a_task_of_another_role_is_refused_and_stays(bank, verb):
    _case_id, task_id = a_case(bank)
    before = orchestration.public.tasks(
        principal=bank.employees["eva"], filters=orchestration.public.TaskFilters()
    )

    refused = signed_in("lucas").post(f"/workspace/tasks/{task_id}/{verb}/", {"comment": "mine"})

    assert refused.status_code == 403
    assert before == orchestration.public.tasks(
        principal=bank.employees["eva"], filters=orchestration.public.TaskFilters()
    )


@pytest.mark.parametrize(
    "address", ["cases/{}/", "documents/{}/", "customers/{}/", "cases/{}/drawing.bpmn", "tasks/{}/"]
)
def test_what_does_not_exist_is_not_there(bank, address):
    wanted = f"/workspace/{address.format(uuid4())}"

    assert signed_in("omar").get(wanted).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/app/chat/",
        "/app/chat/person/",
        "/app/payments/new/",
        "/sign-in/",
        "/sign-out/",
        f"/app/cards/{UUID(int=1)}/block/",
        f"/app/chat/cards/{UUID(int=1)}/",
    ],
)
def test_a_form_of_another_site_is_refused(bank, address):
    browser = signed_in("anna", checks_csrf=True)

    for headers in ({}, {"HX-Request": "true"}):
        assert browser.post(address, {}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/app/",
        "//evil.example/app/",
        "/\\evil.example/app/",
        "javascript:alert(1)//app/",
        "http:///evil.example/app/",
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(bank, wanted):
    known = {each.username: each for each in interaction.public.sign_ins() if each.entity == ENTITY}
    form = {
        "entity": ENTITY,
        "username": "anna",
        "password": known["anna"].password,
        "next": wanted,
    }

    assert Client().post("/sign-in/", form).headers["Location"] == "/app/"


def test_pages_of_a_person_are_not_kept_by_the_browser(bank):
    for username, address in (("anna", "/app/"), ("omar", "/workspace/"), ("carla", "/console/")):
        answer = signed_in(username).get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"


def test_another_host_name_is_refused(bank):
    assert Client().get("/tour/", headers={"Host": "evil.example"}).status_code == 400


def test_markup_in_a_conversation_is_shown_as_the_text_it_is(bank):
    markup = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    anna = signed_in("anna")
    assert anna.post("/app/chat/", {"text": markup, "sent_id": str(uuid4())}).status_code == 302

    page = anna.get("/app/chat/").content.decode()

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
