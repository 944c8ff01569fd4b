"""The sources of triggers: clocks, changes of data, e-mail and files, each beginning once."""

import hashlib
from datetime import datetime, timedelta
from email.message import EmailMessage
from mailbox import Maildir
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

import nexus.public
from orchestration.durable import store, sweeping
from orchestration.public import (
    follow_changes_once,
    run_schedules_once,
    stream_figures,
    take_files_once,
    take_mail_once,
)
from orchestration.triggers import changes
from orchestration.triggers.calendar import ScheduleRefused, schedule_of
from orchestration.triggers.content import TriggerContent
from orchestration.triggers.drops import FILE_BYTES_MAX
from tests.layers.orchestration.flows import AT
from tests.layers.orchestration.test_triggers import BODY, begun, published, refusals

__all__ = ["published"]


def moments(text, start, count, zone="Europe/Amsterdam"):
    schedule, found = schedule_of(text, zone), []
    moment = datetime.fromisoformat(start)
    for _ in range(count):
        moment = schedule.after(moment)
        found.append(moment.strftime("%m-%d %H:%M") if moment else None)
    return found


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("30 6 * * 1-5", "2026-11-20T12:00Z", ["11-23 05:30", "11-24 05:30"]),
        ("0 0 1 * *", "2026-11-20T12:00Z", ["11-30 23:00", "12-31 23:00"]),
        ("*/20 9 * * *", "2026-11-20T08:30Z", ["11-20 08:40", "11-21 08:00"]),
        # Of two kinds of days, either will do, as in cron.
        ("0 12 13 * 5", "2026-11-12T12:00Z", ["11-13 11:00", "11-20 11:00"]),
        # 02:30 does not exist on 29 March: it comes when the clock has leapt; in October once.
        ("30 2 * * *", "2026-03-28T12:00Z", ["03-29 01:30", "03-30 00:30"]),
        ("30 2 * * *", "2026-10-24T12:00Z", ["10-25 00:30", "10-26 01:30"]),
        ("R/2026-01-01T06:00+01:00/P1D", "2026-11-20T12:00Z", ["11-21 05:00", "11-22 05:00"]),
        ("R/2026-01-31T00:00Z/PT45M", "2026-11-20T12:00Z", ["11-20 12:45", "11-20 13:30"]),
        ("R2/2026-11-20T13:00Z/PT1H", "2026-11-20T12:00Z", ["11-20 13:00", "11-20 14:00"]),
    ],
)
def test_schedules_come_when_they_say(text, start, expected):
    assert moments(text, start, 2) == expected


def test_a_cycle_ends_and_nonsense_is_no_schedule():
    assert schedule_of("R1/2026-11-20T13:00Z/PT1H", "UTC").after(AT) is None
    for nonsense in ("", "* * *", "R/x/P1D", "R/2026-01-01T00:00/PT0S"):
        with pytest.raises(ScheduleRefused):
            schedule_of(nonsense, "UTC")


@pytest.mark.parametrize(("missed", "expected"), [("once", 1), ("skip", 0)])
def test_a_schedule_begins_once_and_what_was_missed_as_declared(published, missed, expected):
    published(kind="schedule", every="0 * * * *", missed=missed)

    assert run_schedules_once(at=AT) == 0
    assert run_schedules_once(at=AT + timedelta(minutes=59)) == 0
    assert run_schedules_once(at=AT + timedelta(minutes=60)) == 1
    assert run_schedules_once(at=AT + timedelta(minutes=60)) == 0
    # Nobody looks for five hours and a half.
    assert run_schedules_once(at=AT + timedelta(hours=6, minutes=30)) == expected
    assert begun() == 1 + expected
    assert refusals() == ([] if expected else ["missed"])
    assert run_schedules_once(at=AT + timedelta(hours=7)) == 1


def test_a_clock_that_ran_ahead_and_is_put_right_silences_no_schedule(published):
    published(kind="schedule", every="0 * * * *")
    run_schedules_once(at=AT)
    ahead = AT + timedelta(days=365)
    assert run_schedules_once(at=ahead) == 1

    assert run_schedules_once(at=AT + timedelta(minutes=30)) == 0
    assert run_schedules_once(at=AT + timedelta(hours=1)) == 1
    assert run_schedules_once(at=AT + timedelta(hours=1)) == 0
    # Back once more: what has begun for its time does not begin again.
    assert run_schedules_once(at=AT + timedelta(minutes=30)) == 0
    assert run_schedules_once(at=AT + timedelta(hours=1)) == 0
    assert run_schedules_once(at=AT + timedelta(hours=2)) == 1
    assert begun() == 3


def test_a_schedule_that_comes_sooner_in_a_new_version_is_not_waited_for(published):
    published(kind="schedule", every="0 12 1 1 *")
    run_schedules_once(at=AT)
    published(kind="schedule", every="0 * * * *")
    run_schedules_once(at=AT + timedelta(minutes=1))

    assert run_schedules_once(at=AT + timedelta(hours=1)) == 1


def test_a_change_of_data_starts_what_waits_for_it(published):
    customer = uuid4()
    published(
        kind="data_change",
        topics=["party"],
        when='= event.customer_id != ""',
        customer="= event.customer_id",
    )
    assert follow_changes_once() == 0
    note_change(customer, ["party"])
    note_change(customer, ["cards"])

    assert follow_changes_once() == 2
    assert follow_changes_once() == 0

    assert begun() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT customer_id FROM orch_instance")
        assert cursor.fetchone()[0] == customer
    figures = stream_figures(consumer="data_change")
    assert (figures.taken, figures.failed) == (2, 0)
    assert 0 <= figures.latency_p50_seconds <= figures.latency_p99_seconds < 60


@pytest.fixture
def both(flows):
    """Two flows that wait for the same changes of data."""
    waits = TriggerContent(kind="data_change", topics=["party"])
    for process in ("p", "q"):
        flows.published(BODY, process=process, triggers={"t": waits})


def begin_unless(monkeypatch, error):
    """Let the first beginning of flow `p` end in an error."""
    begin, broken = changes.begin_for, [error]

    def begin_for(trigger, *rest):
        if trigger.name == "p/t" and broken:
            raise broken.pop()
        return begin(trigger, *rest)

    monkeypatch.setattr(changes, "begin_for", begin_for)


def test_a_flow_that_breaks_on_a_change_holds_up_no_other(both, monkeypatch):
    begin_unless(monkeypatch, KeyError("amount"))
    note_change(uuid4(), ["party"])

    assert follow_changes_once() == 1

    assert (begun(), refusals("p/t"), refusals("q/t")) == (1, ["KeyError"], [])


def test_a_database_in_trouble_loses_no_change(both, monkeypatch):
    begin_unless(monkeypatch, OperationalError("deadlock detected"))
    note_change(uuid4(), ["party"])

    with pytest.raises(OperationalError):
        follow_changes_once()
    assert begun() == 0

    assert follow_changes_once() == 1
    assert (begun(), refusals("p/t"), refusals("q/t")) == (2, [], [])


def note_change(customer, topics):
    """Write a line of Nexus's feed as if its transaction were long over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_change (xact, customer_id, topics, changed_at)"
            " VALUES ('3'::xid8, %s, to_jsonb(%s::text[]), clock_timestamp())",
            [customer, topics],
        )
    assert nexus.public.events_after(cursor="", limit=10)


def mail(to="invoices@bank.example", subject="Invoice", message_id="<1@x>"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.example", to, subject
    if message_id:
        message["Message-ID"] = message_id
    message.set_content("Please pay.")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="i.pdf")
    return message


@pytest.fixture
def box(tmp_path, settings, entity):
    settings.MAIL_DROP = tmp_path
    return Maildir(tmp_path / entity, create=True)


def test_an_e_mail_starts_its_flow_once(published, box, tmp_path, entity):
    published(kind="email", source="invoices@bank.example")
    box.add(mail())
    box.add(mail())
    box.add(mail(to="Somebody <elsewhere@bank.example>", message_id="<2@x>"))

    assert take_mail_once() == 2

    assert begun() == 1
    assert take_mail_once() == 0
    sweeping.sweep(limit=10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance")
        event = store.read_instance(cursor.fetchone()[0]).state.variables["event"]
    assert (event["subject"], event["text"].strip()) == ("Invoice", "Please pay.")
    assert event["attachments"][0]["name"] == "i.pdf"
    assert refusals("email/nobody") == ["nobody_waits"]
    assert len(list((tmp_path / entity / ".Refused" / "cur").iterdir())) == 1
    assert list((tmp_path / entity / "new").iterdir()) == []


@pytest.mark.parametrize("message_id", ["<1@x>", f"<{'1' * 188}>"])
def test_a_message_id_taken_in_advance_keeps_no_letter_out(published, box, message_id):
    published(kind="email", source="invoices@bank.example")
    box.add(mail(subject="Anything", message_id=message_id))
    assert take_mail_once() == 1

    # The genuine letter, which comes twice, on two ways.
    for relay in ("a.example", "b.example"):
        genuine = mail(message_id=message_id)
        genuine["Received"] = f"from {relay}"
        box.add(genuine)
        assert take_mail_once() == 1

    assert (begun(), refusals()) == (2, [])
    sweeping.sweep(limit=10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance")
        found = [store.read_instance(row[0]).state.variables["event"] for row in cursor.fetchall()]
    assert {event["message_id"] for event in found} == {message_id}
    assert {event["subject"] for event in found} == {"Anything", "Invoice"}


def test_hostile_e_mail_starts_what_it_says_or_nothing(published, box):
    published(kind="email", source="invoices@bank.example")
    for raw in (
        b"To: invoices@bank.example\r\nSubject: =?utf-8?b?////?=\r\n\r\n\x00\xff",
        b"To: invoices@bank.example\r\nContent-Type: multipart/mixed; boundary=\r\n\r\nx",
        b"\x00" * 1000,
        b"To: " + b"a@b, " * 20_000,
    ):
        box.add(raw)

    assert take_mail_once() == 2

    assert begun() == 2


def drop(folder, name, content=b"hello", checksum=None):
    incoming = folder / "meridian-nl" / "orders" / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    (incoming / name).write_bytes(content)
    if checksum != "":
        said = checksum or hashlib.sha256(content).hexdigest()
        (incoming / f"{name}.sha256").write_text(f"{said}  {name}\n")
    return folder / "meridian-nl" / "orders"


def test_a_complete_file_starts_its_flow_once_and_is_moved_away(published, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    published(kind="file", source="orders", pattern="*.txt")
    folder = drop(tmp_path, "a.txt")
    drop(tmp_path, "incomplete.txt", checksum="")
    drop(tmp_path, "other.csv")
    drop(tmp_path, "wrong.txt", checksum="0" * 64)

    assert take_files_once() == 1

    assert begun() == 1
    assert refusals() == ["checksum_differs"]
    assert sorted(each.name for each in (folder / "accepted").iterdir()) == [
        "a.txt",
        "a.txt.sha256",
    ]
    assert (folder / "refused" / "wrong.txt").exists()
    assert {each.name for each in (folder / "incoming").iterdir()} == {
        "incomplete.txt",
        "other.csv",
        "other.csv.sha256",
    }
    # The same file once more: a process may have died before it moved it.
    drop(tmp_path, "a.txt")
    assert take_files_once() == 1
    assert begun() == 1


def test_a_file_that_is_too_long_is_refused_on_record_and_moved_away(published, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    published(kind="file", source="orders")
    folder = drop(tmp_path, "long.txt", content=b"x" * (FILE_BYTES_MAX + 1))
    drop(tmp_path, "short.txt")

    assert take_files_once() == 1
    assert take_files_once() == 0

    assert begun() == 1
    assert refusals() == ["too_large"]
    assert list((folder / "incoming").iterdir()) == []
    assert sorted(each.name for each in (folder / "refused").iterdir()) == [
        "long.txt",
        "long.txt.sha256",
    ]


def test_a_link_in_the_drop_leads_nowhere(published, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    published(kind="file", source="orders")
    folder = drop(tmp_path, "a.txt") / "incoming"
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/etc/passwd")

    assert take_files_once() == 0
    assert begun() == 0
