"""The compliance officer takes evidence of a part, and what was disclosed is on record."""

import io
import json
import zipfile

import pytest
from django.test import Client

import sentinel.public
from interaction.models import User
from tests.journeys.test_send_money import asked_for_a_code


@pytest.fixture
def officer(bank):
    client = Client()
    client.force_login(User.objects.get(username="carla"))
    return client


def sequence():
    while sentinel.public.run_sequencer_once():
        pass


def paid(bank):
    chat = bank.chat()
    chat.answers(asked_for_a_code(chat), answer="code", code=chat.code())
    sequence()


def asked(officer, **typed):
    return officer.post("/console/log/evidence/chosen/", typed)


def accesses():
    found = [each.record for each in sentinel.public.events_after(limit=1000)]
    return [each.content["resource"] for each in found if each.kind == "access"]


def files(answer):
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_customer_s_evidence_is_disclosed_on_record(bank, officer):
    paid(bank)
    name = bank.anna.id.removeprefix("customer:")

    answer = asked(officer, about="customer", id=bank.anna.id, disclose="yes")

    assert answer.headers["Content-Disposition"].endswith(f'"evidence-customer-{name}.zip"')
    contents = files(answer)
    values = [json.loads(line)["values"] for line in contents["inputs.jsonl"].splitlines()]
    assert any("Hendriks Vastgoed" in each for each in values)
    sequence()
    assert accesses()[-1] == f"evidence:customer-{name}"


def test_sealed_evidence_discloses_nothing_and_is_no_access(bank, officer):
    paid(bank)

    answer = asked(officer, about="customer", id=bank.anna.id, disclose="")

    assert answer.status_code == 200
    assert "inputs.jsonl" not in files(answer)
    sequence()
    assert not [each for each in accesses() if each.startswith("evidence:")]


@pytest.mark.parametrize(
    "typed",
    [
        {"about": "customer", "id": "anna"},
        {"about": "case", "id": ""},
        {"about": "case", "id": "00000000-0000-4000-8000-000000000000"},
        {"about": "period"},
        {"about": "period", "from": "2026-11-22", "until": "2026-11-01"},
        {"about": "everything"},
        {},
    ],
)
def test_what_names_nothing_is_refused_in_words(bank, officer, typed):
    answer = asked(officer, **typed)

    assert answer.status_code == 422
    assert "Nothing was exported" in answer.content.decode()


def test_only_compliance_may_take_evidence_or_see_the_reconciliation(bank):
    client = Client()
    client.force_login(User.objects.get(username="omar"))

    assert client.post("/console/log/evidence/chosen/", {"about": "period"}).status_code == 403
    assert client.get("/console/reconciliation/").status_code == 403


def test_the_reconciliation_page_says_that_nothing_was_compared_yet(bank, officer):
    page = officer.get("/console/reconciliation/").content.decode()

    assert "Nothing has been compared yet" in page
    assert "Other channels" in page


def test_the_log_page_tells_how_old_keys_are_and_what_no_witness_has_seen(bank, officer):
    page = officer.get("/console/log/").content.decode()

    health, keys = sentinel.public.log_health(), sentinel.public.public_keys()
    unseen = health.size - (health.last_witness_size or 0)
    assert f"<dt>Leaves no witness has seen</dt><dd>{unseen}</dd>" in page
    assert page.count('<td class="mono wrap">') == len(keys)
    assert all(each.state != "next" for each in keys)
