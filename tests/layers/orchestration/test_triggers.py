"""What starts flows from outside: each delivery exactly once, everything else refused on record."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable import store, sweeping
from orchestration.public import (
    CallerRefused,
    DeliveryRefused,
    OperationsOnly,
    TriggerRefusedAtPublish,
    TriggerUnknown,
    make_caller,
    make_webhook_key,
    pause_trigger,
    receive_message,
    receive_webhook,
    resume_trigger,
    revoke_caller,
    revoke_webhook_key,
    start_by_api,
    triggers,
)
from orchestration.triggers.content import TriggerContent, check_trigger
from orchestration.triggers.receiving import receive
from sentinel.vocabulary import Principal
from tests.layers.orchestration.flows import AT

BODY = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<userTask id="look" name="Look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></userTask>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="e"/>
"""
ORDER = {
    "type": "object",
    "required": ["order"],
    "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
    "additionalProperties": False,
}


@pytest.fixture
def published(flows):
    def publish(name="t", **content):
        return flows.published(BODY, triggers={name: TriggerContent(**content)})

    return publish


def begun():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_instance")
        return cursor.fetchone()[0]


def refusals(name="p/t"):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code FROM orch_trigger_refusal WHERE trigger = %s ORDER BY position", [name]
        )
        return [row[0] for row in cursor.fetchall()]


def called(key, idempotency_key="k1", trigger="p/t", at=AT, **payload):
    return start_by_api(
        key=key, trigger=trigger, idempotency_key=idempotency_key, payload=payload, at=at
    )


@pytest.fixture
def key(entity):
    return make_caller(name="shop", triggers=("p/t",), made_by="employee:1")


def test_a_program_starts_a_flow_once_for_each_key(published, key):
    published(kind="api", accepts=ORDER, variables={"order": "= event.order", "kind": "web"})

    first = called(key, order="A-1")
    again = called(key, order="A-1")
    other = called(key, "k2", order="A-1")

    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert again.instance_id == first.instance_id
    assert begun() == 2
    sweeping.sweep(limit=10)
    row = store.read_instance(first.instance_id)
    assert (row.state.variables["order"], row.state.variables["kind"]) == ("A-1", "web")
    assert '"system:triggers"' in row.principal


def test_a_flow_acts_under_no_mandate_of_another_flow(published, key):
    published(kind="api", mandate="triggers_block_card")

    with pytest.raises(DeliveryRefused) as refused:
        called(key)

    assert refused.value.reason == "mandate_not_its_own"
    assert begun() == 0


@pytest.mark.parametrize("mandate", ["triggers_q", "journeys", "ledger", "compensations"])
def test_a_trigger_under_a_mandate_that_is_not_its_own_is_not_published(mandate):
    content = TriggerContent(kind="api", mandate=mandate)

    with pytest.raises(TriggerRefusedAtPublish):
        check_trigger("p/t", content)
    check_trigger("p/t", TriggerContent(kind="api", mandate="triggers_p"))


@pytest.mark.parametrize(
    ("payload", "idempotency_key", "code"),
    [
        ({"order": 7}, "k", "payload_refused"),
        ({"order": "A", "more": 1}, "k", "payload_refused"),
        ({}, "k", "payload_refused"),
        ({"order": "a\0b"}, "k", "payload_refused"),
        ({"order": "A" * 1_100_000}, "k", "payload_too_large"),
        ({"order": "A"}, "", "event_id_missing"),
        ({"order": "A"}, "k" * 300, "event_id_missing"),
    ],
)
def test_what_is_not_accepted_starts_nothing_and_is_on_record(
    published, key, payload, idempotency_key, code
):
    published(kind="api", accepts=ORDER)

    with pytest.raises(DeliveryRefused) as refused:
        called(key, idempotency_key, **payload)

    assert refused.value.reason == code
    assert (begun(), refusals()) == (0, [code])


def test_a_key_for_something_else_is_refused(published, key):
    published(kind="api")
    called(key, order="A")

    with pytest.raises(DeliveryRefused, match="event_id_reused"):
        called(key, order="B")

    assert (begun(), refusals()) == (1, ["event_id_reused"])


def test_only_whoever_holds_a_key_starts_what_it_is_good_for(published, key):
    published(kind="api")
    others = make_caller(name="other", triggers=("p/else",), made_by="employee:1")
    caller_id = key.split("_")[1]

    for wrong in ("", "flk", f"flk_{caller_id}_wrong", key[:-1], "x" + key, others, "flk_\0_a"):
        with pytest.raises(CallerRefused):
            called(wrong, order="A")
    revoke_caller(caller_id=caller_id)
    with pytest.raises(CallerRefused):
        called(key, order="A")

    assert begun() == 0


def test_a_held_trigger_starts_nothing_until_it_is_resumed(published, key, employee):
    published(kind="api")
    pause_trigger(trigger="p/t", principal=employee, reason="A wave of nonsense")

    with pytest.raises(DeliveryRefused, match="paused"):
        called(key, order="A")

    (view,) = triggers(principal=employee)
    assert (view.is_paused, view.reason) == (True, "A wave of nonsense")
    assert [each.code for each in view.refusals] == ["paused"]
    assert begun() == 0
    resume_trigger(trigger="p/t", principal=employee)
    assert called(key, order="A").is_new
    (view,) = triggers(principal=employee)
    assert len(view.runs) == 1


def test_customers_neither_see_nor_hold_triggers(published):
    published(kind="api")
    customer = Principal(f"customer:{uuid4()}", "customer", "p", "meridian-nl", ("customer",))

    with pytest.raises(OperationsOnly):
        triggers(principal=customer)
    with pytest.raises(OperationsOnly):
        pause_trigger(trigger="p/t", principal=customer, reason="")


def test_nobody_starts_what_is_not_declared(published, key):
    published(kind="webhook", source="shop")

    with pytest.raises(TriggerUnknown):
        called(key, order="A")
    with pytest.raises(TriggerUnknown):
        receive(trigger="none/t", event_id="1", payload={}, at=AT)


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "webhook"},
        {"kind": "data_change"},
        {"kind": "schedule", "every": "61 * * * *"},
        {"kind": "schedule", "every": "0 0 31 2 *"},
        {"kind": "schedule", "every": "R/2026-01-01T00:00/nonsense"},
        {"kind": "schedule", "every": "* * * * *", "zone": "Mars/Olympus"},
        {"kind": "api", "accepts": {"type": "nonsense"}},
        {"kind": "api", "variables": {"x": "= ("}},
    ],
)
def test_a_trigger_that_cannot_work_is_not_published(content):
    with pytest.raises(TriggerRefusedAtPublish):
        check_trigger("p/t", TriggerContent(**content))


def signed(secret, body, *, message_id="msg_1", at=AT, version="v1"):
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256")
    signature = f"{version},{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}


@pytest.fixture
def hook(published):
    published(kind="webhook", source="shop", accepts=ORDER)
    return make_webhook_key(source="shop", made_by="employee:1")


def hooked(headers, body, at=AT):
    return receive_webhook(source="shop", headers=headers, body=body, at=at)


def test_a_signed_webhook_starts_its_flow_once(hook):
    body = b'{"order": "A-1"}'

    (first,) = hooked(signed(hook[1], body), body)
    (again,) = hooked(signed(hook[1], body), body, at=AT + timedelta(minutes=4))

    assert (first.is_new, again.is_new) == (True, False)
    assert begun() == 1


def test_the_published_example_of_standard_webhooks_verifies():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'

    headers = signed(secret, body, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at)

    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-signature"] == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, "signature_refused"),
        ({"webhook-signature": "v2,AAAA"}, "signature_refused"),
        ({"webhook-id": "msg_2"}, "signature_refused"),
        ({"webhook-id": ""}, "headers_missing"),
        ({"webhook-timestamp": "soon"}, "headers_missing"),
        ({"webhook-timestamp": "9" * 400}, "stale"),
    ],
)
def test_an_altered_webhook_starts_nothing(hook, change, code):
    body = b'{"order": "A-1"}'

    with pytest.raises(DeliveryRefused) as refused:
        hooked({**signed(hook[1], body), **change}, body)

    assert refused.value.reason == code
    assert (begun(), refusals()) == (0, [code])


def test_an_altered_body_or_a_stale_webhook_starts_nothing(hook):
    body = b'{"order": "A-1"}'
    headers = signed(hook[1], body)

    with pytest.raises(DeliveryRefused, match="signature_refused"):
        hooked(headers, b'{"order": "A-2"}')
    for minutes in (6, -6):
        with pytest.raises(DeliveryRefused, match="stale"):
            hooked(headers, body, at=AT + timedelta(minutes=minutes))
    for nonsense in (b"<html>", b"[1]", b"\xff", b"[" * 100_000):
        with pytest.raises(DeliveryRefused, match="payload_refused"):
            hooked(signed(hook[1], nonsense), nonsense)

    assert begun() == 0


def test_keys_can_take_over_from_each_other(hook):
    old_id, old = hook
    _, new = make_webhook_key(source="shop", made_by="employee:1")
    body = b'{"order": "A-1"}'

    both = signed(old, body, message_id="m1")
    both["webhook-signature"] = f"v1,AAAA {signed(new, body, message_id='m1')['webhook-signature']}"
    assert hooked(both, body)[0].is_new
    assert hooked(signed(old, body, message_id="m2"), body)[0].is_new
    revoke_webhook_key(key_id=old_id)
    with pytest.raises(DeliveryRefused, match="signature_refused"):
        hooked(signed(old, body, message_id="m3"), body)
    assert hooked(signed(new, body, message_id="m4"), body)[0].is_new
    assert begun() == 3


def test_a_message_starts_its_flow_once(published):
    published(kind="message", source="order.placed")

    taken = [
        receive_message(
            name="order.placed", message_id="7", correlation=None, payload={"x": 1}, at=AT
        )
        for _ in range(2)
    ]

    assert [each[0].is_new for each in taken] == [True, False]
    assert begun() == 1
