"""A connector outside: a print house of its own process of work, which spends a token over HTTP."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client

from deploy.simulators.print_house import Bank, Books, Server
from orchestration.public import AudienceRefused, make_caller
from sentinel.public import outcome_of, record_outcome
from sentinel.vocabulary import OutcomeKind
from tests.authority import count, throw

PRINT_HOUSE = "urn:connector:print-house"
PLACE = "/api/v1/meridian-nl/tokens"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_words):
        pass


def closing(application):
    """Leave no connection of the serving thread behind."""

    def serve(environ, start_response):
        try:
            return [b"".join(application(environ, start_response))]
        finally:
            connections.close_all()

    return serve


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def served(bank, settings):
    """The bank on loopback, with real commits."""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    application = closing(WSGIHandler())
    with running(make_server("127.0.0.1", 0, application, handler_class=Quiet)) as url:
        yield url


def connector(name="print house", audience=PRINT_HOUSE):
    return make_caller(
        name=name,
        triggers=(),
        made_by="employee:1",
        asks=("letters.post",),
        subjects=("system:post_room",),
        audience=audience,
    )


def sent(address, said, key=""):
    headers = {"Authorization": f"Bearer {key}"}
    answer = Client().post(
        address, json.dumps(said), content_type="application/json", headers=headers
    )
    return answer.status_code, answer.json()


def handed_over(url, said):
    request = urllib.request.Request(url + "/v1/letters", data=json.dumps(said).encode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


def wanted(bank, **changes):
    person = str(bank.customer_id)
    parameters = {
        "recipient": f"customer:{person}",
        "document_id": str(uuid4()),
        "document_digest": "a" * 64,
        "pages": 2,
    }
    return {
        "mandate": "post_room",
        "kind": "letters.post",
        "resource": f"party:{person}",
        "parameters": parameters,
        "case_id": str(uuid4()),
        "idempotency_key": "letter-1",
        "purpose": "servicing",
        **changes,
    }


def permitted(bank, key, **changes):
    """Return the letter as a connector presents it, with the token it was given for it."""
    wish = wanted(bank, **changes)
    status, said = sent(PLACE, wish, key)
    assert (status, said["verdict"]) == (200, "permit"), said
    return {
        "token": said["token"],
        "decision": said["decision"],
        "kind": wish["kind"],
        "resource": wish["resource"],
        "parameters": wish["parameters"],
        "case_id": wish["case_id"],
        "idempotency_key": said["idempotency_key"],
    }


def presented(letter, **changes):
    shown = {name: value for name, value in letter.items() if name != "decision"}
    return {**shown, "obligations": ["outcome"], **changes}


def spent_under(letter):
    return count(f"sentinel_redemption WHERE token = '{letter['decision']}'")


def test_a_letter_is_printed_once_however_often_it_is_handed_over(bank, served, tmp_path):
    key = connector()
    letter = permitted(bank, key)
    house = Bank(served, "meridian-nl", key)

    with running(Server(0, house, Books(tmp_path))) as url:
        first = handed_over(url, presented(letter))
        again = handed_over(url, presented(letter))
    with running(Server(0, house, Books(tmp_path))) as url:
        restarted = handed_over(url, presented(letter))

    assert first == (200, {"printed": letter["decision"]})
    assert (again, restarted) == ((409, {"code": "spent"}), (409, {"code": "spent"}))
    assert [each["token"] for each in Books(tmp_path).printed()] == [letter["decision"]]
    outcome = outcome_of(decision_id=letter["decision"])
    assert (outcome.kind, outcome.code) == (OutcomeKind.DONE, "printed")


def test_what_was_spent_but_not_printed_is_said_to_have_failed(bank, served, tmp_path):
    key = connector()
    letter = permitted(bank, key)
    house = Bank(served, "meridian-nl", key)
    spent, _ = house.redeem(presented(letter))

    with running(Server(0, house, Books(tmp_path))) as url:
        later = handed_over(url, presented(letter))

    assert (spent, later) == (200, (409, {"code": "spent"}))
    assert Books(tmp_path).printed() == []
    assert outcome_of(decision_id=letter["decision"]).kind is OutcomeKind.FAILED


def test_only_the_connector_it_is_made_out_to_spends_a_token(bank):
    key = connector()
    letter = permitted(bank, key)
    stranger = make_caller(name="shop", triggers=("p/t",), made_by="employee:1")

    assert sent(f"{PLACE}/redeem", presented(letter), stranger) == (
        403,
        {"code": "wrong_connector"},
    )
    assert sent(f"{PLACE}/redeem", presented(letter), "x")[0] == 401
    swapped = presented(letter, kind="payments.transfer")
    assert sent(f"{PLACE}/redeem", swapped, key) == (403, {"code": "wrong_connector"})
    with pytest.raises(AudienceRefused):
        connector(audience="urn:connector:ledger")
    assert spent_under(letter) == 0


def test_a_token_is_good_for_exactly_its_action(bank):
    key = connector()
    letter = permitted(bank, key)
    own = letter["parameters"]
    others = (
        ({"parameters": {**own, "pages": 3}}, 422, "other_parameters"),
        ({"parameters": {**own, "pages": "2"}}, 422, "other_parameters"),
        ({"parameters": {**own, "recipient": f"customer:{uuid4()}"}}, 422, "other_parameters"),
        ({"parameters": {**own, "more": 1}}, 422, "other_parameters"),
        ({"resource": f"party:{uuid4()}"}, 422, "other_parameters"),
        ({"case_id": str(uuid4())}, 422, "other_parameters"),
        ({"idempotency_key": "another"}, 422, "other_parameters"),
        ({"obligations": []}, 422, "unknown_obligation"),
        ({"token": letter["token"] + "="}, 400, "altered"),
        ({"token": letter["token"][:-2] + "AA"}, 400, "altered"),
        ({"token": "A" * 4097}, 400, "payload_refused"),
        ({"token": 1}, 400, "payload_refused"),
        ({"case_id": "x"}, 400, "payload_refused"),
        ({"more": 1}, 400, "payload_refused"),
    )

    for change, status, code in others:
        answer = sent(f"{PLACE}/redeem", presented(letter, **change), key)
        assert answer == (status, {"code": code})
    assert spent_under(letter) == 0
    assert sent(f"{PLACE}/redeem", presented(letter), key)[0] == 200


@pytest.mark.parametrize("text", ["\0", "e\u0301", "\ud800"], ids=["zero", "not NFC", "half"])
@pytest.mark.parametrize("field", ["idempotency_key", "purpose", "kind", "case_id", "a parameter"])
def test_text_that_cannot_be_kept_is_refused_and_nothing_is_recorded(bank, field, text):
    key, before = connector(), count("sentinel_record")
    wish = wanted(bank)
    if field == "a parameter":
        wish["parameters"][text] = 1
    else:
        wish[field] = text

    assert sent(PLACE, wish, key) == (400, {"code": "payload_refused"})
    assert count("sentinel_record") == before


def test_names_nobody_declared_are_counted_not_kept(bank):
    key = connector()
    wish = wanted(bank)
    wish["parameters"] |= {f"NL91ABNA04171643{n:02}": 1 for n in range(100)}

    status, said = sent(PLACE, wish, key)

    assert (status, said["verdict"]) == (200, "deny")
    assert "ABNA" not in json.dumps(said)
    assert count("sentinel_record WHERE convert_from(body, 'UTF8') LIKE '%ABNA%'") == 0
    assert count("sentinel_record WHERE octet_length(body) > 60000") == 0


def test_a_stopped_action_is_spent_no_more(bank):
    key = connector()
    letter = permitted(bank, key)
    throw("action:letters.post", by=bank.employees["omar"])

    assert sent(f"{PLACE}/redeem", presented(letter), key) == (410, {"code": "revoked"})


def test_an_outcome_is_said_once_and_by_the_one_who_acted(bank):
    key = connector()
    letter = permitted(bank, key)
    place = f"{PLACE}/{letter['decision']}/outcome"
    done = {"kind": "done", "code": "printed", "reference": "p:1"}
    headers = {"Authorization": f"Bearer {key}"}

    early = sent(place, done, key)
    sent(f"{PLACE}/redeem", presented(letter), key)
    none = Client().get(place, headers=headers)
    first, again = sent(place, done, key), sent(place, done, key)
    other = sent(place, {**done, "kind": "failed"}, key)
    stranger = sent(place, done, make_caller(name="s", triggers=(), made_by="employee:1"))

    assert early == (409, {"code": "outcome_refused", "recorded": ""})
    assert (none.status_code, none.json()) == (404, {"code": "no_outcome"})
    assert first[0] == 200
    assert first == again
    assert other == (409, {"code": "outcome_refused", "recorded": "done"})
    assert stranger == (404, {"code": "permit_unknown"})
    assert sent(place, {**done, "words": "x" * 201}, key)[0] == 400
    assert Client().get(place, headers=headers).json() == first[1]


def test_what_was_never_redeemed_cannot_be_said_to_have_failed(bank):
    key = connector()
    letter = permitted(bank, key)
    place = f"{PLACE}/{letter['decision']}/outcome"

    early = sent(place, {"kind": "failed", "code": "no_paper"}, key)

    assert early == (409, {"code": "outcome_refused", "recorded": ""})
    assert outcome_of(decision_id=letter["decision"]) is None
    assert sent(f"{PLACE}/redeem", presented(letter), key)[0] == 200


def test_what_has_ended_is_spent_no_more(bank):
    key = connector()
    letter = permitted(bank, key)
    record_outcome(decision_id=letter["decision"], kind=OutcomeKind.FAILED, code="withdrawn")

    status, said = sent(f"{PLACE}/redeem", presented(letter), key)

    assert (status, said["code"], said["outcome"]["code"]) == (409, "spent", "withdrawn")
    assert spent_under(letter) == 0


@pytest.mark.django_db(transaction=True)
def test_nothing_is_spent_while_the_gate_is_shut(bank, superuser_connection):
    key = connector()
    letter = permitted(bank, key)
    superuser_connection.execute(
        "INSERT INTO sentinel_gate (entity, backup, epoch, size)"
        " VALUES ('meridian-nl', gen_random_uuid(), 0, 0)"
    )

    assert sent(f"{PLACE}/redeem", presented(letter), key) == (503, {"code": "gate_shut"})
    assert spent_under(letter) == 0


def test_a_permit_is_asked_for_under_a_mandate_the_key_names(bank):
    key = connector()
    before = count("sentinel_decision")

    assert sent(PLACE, wanted(bank, mandate="seed"), key) == (403, {"code": "not_allowed"})
    assert sent(PLACE, wanted(bank, kind="messages.send"), key)[0] == 403
    assert count("sentinel_decision") == before

    bad = sent(PLACE, wanted(bank, parameters={"pages": 2}), key)
    assert (bad[0], bad[1]["verdict"], bad[1]["token"]) == (200, "deny", None)

    first = permitted(bank, key)
    conflict = sent(PLACE, wanted(bank), key)
    assert conflict[0] == 200  # Not spent yet: another decision, another token.
    sent(f"{PLACE}/redeem", presented(first), key)
    assert sent(PLACE, wanted(bank), key) == (409, {"code": "idempotency_conflict"})
