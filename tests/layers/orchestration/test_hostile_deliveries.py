"""What strangers send to stop the bank: refused on record, and what lies behind it begins."""

import hashlib
import json
import os

import pytest

from orchestration.public import (
    DeliveryRefused,
    FileNotUnderstood,
    batch_items,
    batch_run,
    load_batch,
    receive_message,
    take_files_once,
    take_mail_once,
)
from orchestration.triggers.content import BatchContent
from orchestration.triggers.receiving import receive
from orchestration.triggers.rows import STRANGERS_REFUSALS_A_MINUTE
from tests.layers.orchestration.flows import AT
from tests.layers.orchestration.test_batches import BODY as ITEM_BODY
from tests.layers.orchestration.test_batches import carried
from tests.layers.orchestration.test_trigger_sources import box, drop, mail
from tests.layers.orchestration.test_triggers import (
    begun,
    hook,
    hooked,
    published,
    refusals,
    signed,
)

__all__ = ["box", "hook", "published"]


def nested(depth):
    head = b"To: invoices@bank.example\r\nMIME-Version: 1.0\r\n"
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(depth)
    )
    return head + parts + b"Content-Type: text/plain\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        nested(5_000),
        b"To: invoices@bank.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Disposition: attachment; filename*=utf-7''%2B2AA-\r\n\r\nx\r\n--b--\r\n",
        b"To: invoices@bank.example\r\nSubject: =?utf-7?q?+2AA-?=\r\n\r\nx",
        b"To: invoices@bank.example\r\nMessage-ID: <=?utf-7?q?+2AA-?=>\r\n\r\nx",
        b"To: invoices@bank.example\r\nMessage-ID: <\xff\xfe@x>\r\n\r\nx",
        b"To: invoices@bank.example\r\nContent-Type: text/plain\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n=\x80\x81",
    ],
    ids=["deep", "file_name", "subject", "id", "id_bytes", "base64"],
)
def test_no_e_mail_stops_those_behind_it(published, box, tmp_path, entity, raw):
    published(kind="email", source="invoices@bank.example")
    box.add(raw)
    box.add(mail())

    take_mail_once()
    take_mail_once()

    assert begun() >= 1
    assert list((tmp_path / entity / "new").iterdir()) == []


def test_no_file_stops_those_behind_it(published, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    published(kind="file", source="orders")
    incoming = drop(tmp_path, "z.txt") / "incoming"
    name = os.fsdecode(b"a\xff.txt")
    (incoming / name).write_bytes(b"x")
    (incoming / f"{name}.sha256").write_text(hashlib.sha256(b"x").hexdigest())

    take_files_once()

    assert begun() >= 1
    assert not (incoming / "z.txt").exists()


def test_checksums_without_files_do_not_hide_what_is_complete(published, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    published(kind="file", source="orders")
    incoming = drop(tmp_path, "z.txt") / "incoming"
    for number in range(60):
        (incoming / f"{number:03}.txt.sha256").write_text("0" * 64)

    assert take_files_once() == 1
    assert begun() == 1


def test_a_folder_that_is_a_link_is_no_folder(published, tmp_path, settings):
    settings.FILES_DROP = tmp_path / "drops"
    published(kind="file", source="orders")
    elsewhere = drop(tmp_path, "z.txt") / "incoming"
    orders = settings.FILES_DROP / "meridian-nl" / "orders"
    orders.mkdir(parents=True)
    (orders / "incoming").symlink_to(elsewhere)

    assert take_files_once() == 0
    assert begun() == 0
    assert (elsewhere / "z.txt").exists()


@pytest.mark.parametrize("text", ['{"n": "\\ud800"}', '{"\\ud800": 1}', '{"n": 1e400}'])
def test_a_payload_that_cannot_be_kept_is_refused(published, text):
    published(kind="api")

    with pytest.raises(DeliveryRefused) as refused:
        receive(trigger="p/t", event_id="1", payload=json.loads(text), at=AT)

    assert refused.value.reason == "payload_refused"
    assert (begun(), refusals()) == (0, ["payload_refused"])


DEEP = '{"n": ' + "[" * 500 + "]" * 500 + "}"


@pytest.mark.parametrize(
    "text", [DEEP, '{"n": ' + "9" * 4_000 + "}", '{"n": 1e300}', '{"": 1, "a.b": []}']
)
def test_odd_payloads_begin_what_they_say_or_nothing(published, text):
    published(kind="api")

    try:
        receive(trigger="p/t", event_id="1", payload=json.loads(text), at=AT)
    except DeliveryRefused:
        assert begun() == 0


@pytest.mark.parametrize("text", [DEEP, '{"n": "\\ud800"}', '{"n": "\\u0000"}'])
def test_a_message_that_cannot_be_kept_is_refused(entity, text):
    with pytest.raises(DeliveryRefused):
        receive_message(name="m", message_id="1", correlation=None, payload=json.loads(text), at=AT)

    assert refusals("message:m") == ["payload_refused"]


def test_a_signed_number_without_end_is_refused(hook):
    body = b'{"order": ' + b"9" * 5_000 + b"}"

    with pytest.raises(DeliveryRefused) as refused:
        hooked(signed(hook[1], body), body)

    assert refused.value.reason == "payload_refused"
    assert begun() == 0


def test_strangers_do_not_fill_the_record_of_refusals(hook):
    for number in range(STRANGERS_REFUSALS_A_MINUTE + 5):
        with pytest.raises(DeliveryRefused):
            hooked({"webhook-id": str(number)}, b"{}")

    assert refusals() == ["headers_missing"] * STRANGERS_REFUSALS_A_MINUTE
    body = b'{"order": "A-1"}'
    assert hooked(signed(hook[1], body), body)[0].is_new


@pytest.mark.parametrize("key", ["a\0b", "\ud800"])
def test_a_key_that_cannot_be_kept_is_not_understood(flows, employee, key):
    flows.published(ITEM_BODY, batches={"orders": BatchContent(key="id")})
    content = json.dumps({"id": key, "amount": 1}).encode()

    with pytest.raises(FileNotUnderstood):
        loaded(employee, content)


def test_one_item_that_cannot_begin_does_not_stop_the_others(flows, employee):
    each = BatchContent(
        key="id", variables={"amount": "= number(event.amount)"}, customer="= event.customer"
    )
    flows.published(ITEM_BODY, batches={"orders": each})
    view = loaded(employee, b"id,amount,customer\na,1,not-an-id\nb,2,\nc,3,\n")

    ended = carried(view.id, employee)

    assert (ended.done, ended.failed + ended.refused) == (2, 1)
    assert batch_run(batch_id=view.id, principal=employee).ended_at is not None
    first = batch_items(batch_id=view.id, principal=employee)[0]
    assert (first.state, first.code) == ("refused", "item_refused")


def loaded(employee, content):
    return load_batch(
        process="p",
        name="orders",
        file_name="orders.csv",
        content=content,
        principal=employee,
        at=AT,
    )
