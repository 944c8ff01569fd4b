"""Workers of two releases on one bank: what the earlier one writes and signs counts in this one.

The statements of the earlier release stand here to the letter. Who changes a table or a function
that they use, so that they fail, makes every worker fail that was not restarted yet.
"""

import base64
import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from sentinel.inputs import InputsUnreadable, gathered_then
from sentinel.log.proving import prove_log
from sentinel.log.records import leaf_of
from sentinel.log.sequencer import run_sequencer_once
from sentinel.public import TokenRefused, prove_permits, rejudge
from sentinel.signing.token_keys import token_signer
from sentinel.tokens import forget_minted
from tests.authority import NL, confirmed, customer, done, payment, spent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bank")]

EARLIER_DECIDED = """
WITH decided AS (
  INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject, resource, case_id,
    purpose, idempotency_key, params_hash, policies, remedy, bundle, audience, expires_at,
    approval_id, challenge_id, record_id, decided_at)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
  RETURNING id, subject
), sealed AS (
  INSERT INTO sentinel_decision_parameters (decision_id, subject, sealed)
  SELECT id, subject, %s FROM decided
)
SELECT sentinel_append(%s)
"""
EARLIER_GATHER = """
SELECT sentinel_gather(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s),
  sentinel_earlier(%s, %s, %s)
"""
EARLIER_REDEEM = "SELECT sentinel_redeem(%s, %s, %s, %s, %s, %s, string_to_array(%s, ' '), %s)"
EARLIER_OUTCOME = "SELECT sentinel_record_outcome(%s, %s, %s, %s, %s, %s, %s, %s)"
_WRITTEN = (
    "action_kind, verdict, principal_id, subject, resource, case_id, purpose, idempotency_key,"
    " params_hash, policies, remedy, bundle, audience, expires_at, approval_id, challenge_id"
)
# A record of the earlier release as it was sealed: its time, its bytes and its leaf.
OLD_RECORD = (
    b'{"case_id":null,"content":{"backup":"00000000-0000-0000-0000-000000000007"},'
    b'"decision_id":null,"entity":"meridian-nl","id":"5d1c1f4e-8f5e-4d53-9a76-6f1f33b0a1c2",'
    b'"kind":"restored","v":1}'
)
OLD_INPUTS = {
    "version": 1,
    "gathered": {
        "now": "2026-11-20T12:00:00Z",
        "stopped": [],
        "stopped_rules": [],
        "caps": {"daily_outgoing": 500000},
        "standings": [],
        "approvals": [],
        "challenges": [],
        "exempted": [0, 0],
        "oldest_pending": None,
    },
}


def asked(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def permit():
    action = payment()
    return confirmed(action, customer()), action


def written_by_the_earlier(decision, action):
    """Have a worker of the earlier release decide the same for another order; return its id."""
    (row,) = asked(
        f"SELECT {_WRITTEN}, decided_at FROM sentinel_decision WHERE id = %s", decision.id
    )
    *columns, decided_at = row
    columns[7] = action.idempotency_key
    new, record = uuid4(), uuid4()
    body = json.dumps(
        {
            "case_id": str(action.case_id),
            "content": {"verdict": "permit"},
            "decision_id": str(new),
            "entity": NL.entity,
            "id": str(record),
            "kind": "issued",
            "v": 1,
        },
        separators=(",", ":"),
        sort_keys=True,
    ).encode()
    with transaction.atomic():
        asked(EARLIER_DECIDED, new, *columns, record, decided_at, b"sealed", body)
    return new


def signed(claims):
    signer = token_signer(NL.entity)
    header = {"alg": "Ed25519", "kid": signer.kid, "typ": "decision+jwt"}
    words = f"{_text(_canonical(header))}.{_text(_canonical(claims))}"
    return f"{words}.{_text(signer.sign(words.encode()))}"


def first_version(token):
    """Return the claims of a token as version 1 said them."""
    claims = json.loads(_raw(token.compact.split(".")[1]))
    claims["sent"]["ver"] = 1
    del claims["sent"]["obl"], claims["acr"], claims["auth_time"]
    for detail in claims["authorization_details"]:
        del detail["linked"]
    return claims


def test_a_permit_the_earlier_release_wrote_is_spent_by_this_one():
    decision, action = permit()
    again = replace(action, idempotency_key=str(uuid4()))
    new = written_by_the_earlier(decision, again)
    compact = signed({**first_version(decision.token), "jti": str(new)})
    token = replace(decision.token, id=new, compact=compact)
    forget_minted()

    redemption = spent(replace(decision, token=token), again)

    assert redemption.decision_id == new
    while run_sequencer_once():
        pass
    assert (prove_log().faults, prove_permits().faults) == ((), ())


def test_a_token_of_the_first_version_is_refused_when_its_minute_is_over():
    decision, action = permit()
    claims = first_version(decision.token)
    claims["exp"] = claims["iat"] + 61

    with pytest.raises(TokenRefused) as refused:
        spent(
            replace(decision, token=replace(decision.token, compact=signed(claims))),
            action,
        )

    assert refused.value.reason == "expired"


def test_a_version_nobody_knows_is_refused():
    decision, action = permit()
    claims = first_version(decision.token)
    claims["sent"]["ver"] = 3

    with pytest.raises(TokenRefused) as refused:
        spent(replace(decision, token=replace(decision.token, compact=signed(claims))), action)

    assert refused.value.reason == "altered"
    assert asked("SELECT FROM sentinel_redemption WHERE token = %s", decision.id) == []


def test_a_permit_of_this_release_is_spent_and_ended_by_the_earlier_one():
    decision, action = permit()
    ((params, epoch),) = asked(
        "SELECT params_hash, 2147483647 FROM sentinel_decision WHERE id = %s", decision.id
    )
    record = uuid4()
    body = _canonical(
        {
            "case_id": None,
            "content": {},
            "decision_id": str(decision.id),
            "entity": NL.entity,
            "id": str(record),
            "kind": "executed",
            "v": 1,
        }
    )

    with transaction.atomic():
        called = (decision.id, action.kind, decision.token.audience, params, None)
        ((said,),) = asked(EARLIER_REDEEM, *called, action.idempotency_key, "all", epoch)
        ((at,),) = asked(EARLIER_OUTCOME, decision.id, "done", "posted", "", "", "", record, body)

    assert said == "redeemed"
    assert at is not None
    assert prove_permits().faults == ()


def test_the_earlier_release_finds_what_it_looks_up():
    case = uuid4()
    ((text, earlier),) = asked(
        EARLIER_GATHER,
        *(False, "2026-11-21T12:00:00Z", "all", "customer:1", "customer:1", "customer:1", "EUR"),
        *("", "key", case, "payments.transfer", "customer:1", case, "", 86400),
    )

    assert {"now", "publications", "switches", "key", "caps", "limits"} <= json.loads(text).keys()
    assert earlier == ""


def test_a_worker_that_knows_no_gate_spends_nothing_while_it_is_shut(superuser_connection):
    decision, action = permit()
    superuser_connection.execute(
        "INSERT INTO sentinel_gate (entity, backup, epoch, size) VALUES (%s, %s, 0, 0)",
        [NL.entity, UUID(int=7)],
    )
    ((params,),) = asked("SELECT params_hash FROM sentinel_decision WHERE id = %s", decision.id)

    called = (decision.id, action.kind, decision.token.audience, params, None)
    ((said,),) = asked(EARLIER_REDEEM, *called, action.idempotency_key, "all", 2147483647)

    assert said == "gate_shut"


def test_inputs_sealed_by_the_earlier_release_are_read_and_unknown_ones_are_not():
    then = gathered_then(OLD_INPUTS)

    assert (then.caps, then.authorities, then.stopped) == ({"daily_outgoing": 500000}, (), ())
    with pytest.raises(InputsUnreadable):
        gathered_then({**OLD_INPUTS, "version": 99})


def test_a_decision_of_this_release_is_judged_again_alike():
    decision, action = permit()
    spent(decision, action)
    done(decision)

    assert rejudge(decision_id=decision.id).is_same


def test_an_old_record_has_the_leaf_it_was_sealed_with():
    ((moment,),) = asked("SELECT '2026-11-20T12:00:00.123456Z'::timestamptz")

    assert leaf_of(moment, OLD_RECORD).hex() == (
        "0da5cce12d5b3638d3fa33cbd2ce17080fe43136dda4b943c51f0a976da3caad"
    )


def _canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
