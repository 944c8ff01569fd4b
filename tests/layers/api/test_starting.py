"""The addresses for programs: a key and an idempotency key, a signature, and nothing else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from orchestration.public import make_caller, make_webhook_key, pause_trigger
from orchestration.triggers.content import TriggerContent
from tests.authority import found_bank
from tests.layers.orchestration.conftest import employee, flows
from tests.layers.orchestration.test_triggers import BODY, ORDER, begun, signed

__all__ = ["employee", "flows"]
START = "/api/v1/meridian-nl/flows/p/web"
HOOK = "/api/v1/meridian-nl/webhooks/shop"


@pytest.fixture
def program(flows):
    found_bank()
    flows.published(
        BODY,
        triggers={
            "web": TriggerContent(kind="api", accepts=ORDER),
            "hook": TriggerContent(kind="webhook", source="shop", accepts=ORDER),
            "message": TriggerContent(kind="message", source="order.placed"),
        },
    )
    return make_caller(
        name="shop", triggers=("p/web", "message:order.placed"), made_by="employee:1"
    )


def posted(address, said, **headers):
    body = said if isinstance(said, bytes) else json.dumps(said)
    return Client(enforce_csrf_checks=True).post(
        address, body, content_type="application/json", headers=headers
    )


def test_a_flow_is_started_once_for_each_idempotency_key(program):
    headers = {"Authorization": f"Bearer {program}", "Idempotency-Key": "k1"}

    first = posted(START, {"order": "A"}, **headers)
    again = posted(START, {"order": "A"}, **headers)
    other = posted(START, {"order": "B"}, **headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["started"][0]["case"] == again.json()["started"][0]["case"]
    assert other.json() == {"code": "event_id_reused"}
    assert begun() == 1


@pytest.mark.parametrize(
    ("change", "said", "status"),
    [
        ({"Authorization": ""}, {"order": "A"}, 401),
        ({"Authorization": "Bearer nonsense"}, {"order": "A"}, 401),
        ({"Idempotency-Key": ""}, {"order": "A"}, 400),
        ({}, {"order": 1}, 422),
        ({}, [1], 400),
        ({}, b"{", 400),
        ({}, b'{"a":' * 3000, 400),
    ],
)
def test_what_is_not_right_is_refused_and_starts_nothing(program, change, said, status):
    headers = {"Authorization": f"Bearer {program}", "Idempotency-Key": "k", **change}

    answer = posted(START, said, **headers)

    assert answer.status_code == status
    assert begun() == 0


def test_addresses_that_lead_nowhere_say_no_more_than_that(program):
    headers = {"Authorization": f"Bearer {program}", "Idempotency-Key": "k"}

    assert posted(START.replace("-nl", "-xx"), {"order": "A"}, **headers).status_code == 404
    assert posted(START.replace("-nl", "-be"), {"order": "A"}, **headers).status_code in {401, 404}
    assert posted(START + "x", {"order": "A"}, **headers).status_code == 401
    assert Client().get(START).status_code == 405
    assert begun() == 0


def test_a_held_trigger_says_when_to_come_again(program, employee):
    pause_trigger(trigger="p/web", principal=employee, reason="x")

    answer = posted(
        START, {"order": "A"}, **{"Authorization": f"Bearer {program}", "Idempotency-Key": "k"}
    )

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_a_webhook_is_taken_once_and_only_signed_and_fresh(program):
    _, secret = make_webhook_key(source="shop", made_by="employee:1")
    body, now = b'{"order": "A-1"}', datetime.now(UTC)

    first = posted(HOOK, body, **signed(secret, body, at=now))
    again = posted(HOOK, body, **signed(secret, body, at=now))
    stale = posted(HOOK, body, **signed(secret, body, at=now - timedelta(minutes=9)))
    altered = posted(HOOK, body + b" ", **signed(secret, body, message_id="m2", at=now))
    unsigned = posted(HOOK, body)

    assert [each.status_code for each in (first, again, stale, altered, unsigned)] == [
        201,
        200,
        401,
        401,
        401,
    ]
    assert begun() == 1


def test_a_message_needs_a_key_that_is_good_for_it(program):
    headers = {"Authorization": f"Bearer {program}", "Idempotency-Key": "m1"}

    taken = posted("/api/v1/meridian-nl/messages/order.placed", {"x": 1}, **headers)
    refused = posted("/api/v1/meridian-nl/messages/other", {"x": 1}, **headers)

    assert (taken.status_code, refused.status_code) == (201, 401)
    assert begun() == 1


def test_no_secret_is_kept_as_it_was_given(program):
    _, secret = make_webhook_key(source="shop", made_by="employee:1")

    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM orch_caller")
        digest = bytes(cursor.fetchone()[0])
        cursor.execute("SELECT sealed FROM orch_webhook_key")
        sealed = bytes(cursor.fetchone()[0])

    assert program.split("_")[2].encode() not in digest
    assert secret.removeprefix("whsec_").encode() not in sealed


NAMED = {"Idempotency-Key": "k"}
WHERE = (START, "/api/v1/meridian-nl/messages/order.placed")


@pytest.mark.parametrize("address", WHERE)
@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"[1]", "not_an_object"),
        (b"NaN", "payload_refused"),
        (b'{"order": NaN}', "payload_refused"),
        (b'{"order": ', "payload_refused"),
        (b'{"a":' * 3000, "payload_refused"),
        (b"\xff\xfe", "payload_refused"),
    ],
)
def test_a_body_that_is_no_object_is_refused_with_a_code(program, address, said, code):
    answer = posted(address, said, **{"Authorization": f"Bearer {program}", **NAMED})

    assert (answer.status_code, answer.json()) == (400, {"code": code})
    assert begun() == 0


@pytest.mark.parametrize("address", [*WHERE, HOOK])
@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"],
)
def test_a_body_that_is_too_large_is_refused_with_a_code(program, address, media_type):
    body = b'{"order": "' + b"A" * 50_000_000 + b'"}'
    headers = {"Authorization": f"Bearer {program}", **NAMED}

    answer = Client().post(address, body, content_type=media_type, headers=headers)

    assert (answer.status_code, answer.json()) == (413, {"code": "payload_too_large"})
    assert begun() == 0


@pytest.mark.parametrize("address", ["/api/", "/api/v2/x", "/api/v1/no entity/flows/p/web"])
def test_an_address_that_is_not_there_says_so_with_a_code(program, address):
    for answer in (posted(address, {}), Client().get(address)):
        assert (answer.status_code, answer.json()) == (404, {"code": "not_found"})


def test_a_method_and_a_media_type_that_are_not_taken_are_refused_with_a_code(program):
    got = Client().get(START)
    form = Client().post(START, {"order": "A"}, headers={"Authorization": f"Bearer {program}"})

    assert (got.status_code, got.json()) == (405, {"code": "method_not_allowed"})
    assert (form.status_code, form.json()) == (415, {"code": "media_type_refused"})
