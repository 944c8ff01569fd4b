"""Intelligence through its door, with a database: registry, routing, records, refusals."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from intelligence import public, registry
from intelligence.providers import local
from sentinel.public import EntityNotSet, legal_entity
from sentinel.vocabulary import Money, Provenance
from tests.authority import set_limit
from tests.layers.intelligence.builders import AT, CASE, PAYEES, calls, set_alias

STORY = public.PaymentFeatures(
    amount_minor_units=85_000,
    median_amount_minor_units=4_500,
    p95_amount_minor_units=90_000,
    payee_age_days=400,
    is_payee_iban_changed=True,
    iban_source=Provenance.DOCUMENT,
    hour=10,
    account_age_days=2_000,
)


def test_a_message_is_understood_and_recorded_without_its_text(entity):
    meaning = public.understand(
        text="pay Anna 250 euro for the rent", at=AT, payees=PAYEES, case_id=CASE
    )

    assert meaning.intent == public.Intent.PAY
    assert meaning.advice == public.Advice.PROCEED
    assert (meaning.slots.amount.minor_units, meaning.slots.amount.currency) == (25_000, "EUR")
    assert meaning.slots.payee.payee.name == "Anna Bakker"
    assert meaning.slots.purpose.value == "the rent"
    (call,) = public.calls_of(case_id=CASE)
    assert call.id == meaning.call_id
    assert call.call.result == "pay"
    assert call.call.version == meaning.version == "1"
    assert len(call.call.digest) == 64
    assert call.call.called_at == AT
    assert "Anna" not in repr(call)


def test_the_same_text_has_the_same_input_digest_and_another_one_another(entity):
    for text in ("balance", "balance", "block my card"):
        public.understand(text=text, at=AT, case_id=CASE)

    digests = [call.call.input_digest for call in public.calls_of(case_id=CASE)]

    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_nothing_is_recorded_when_asked_not_to(entity):
    meaning = public.understand(text="balance", at=AT, case_id=CASE, record=False)

    assert meaning.intent == public.Intent.BALANCE
    assert meaning.call_id is None
    assert public.calls_of(case_id=CASE) == ()


def test_without_a_legal_entity_nothing_is_answered(db):
    with pytest.raises(EntityNotSet):
        public.understand(text="balance", at=AT)
    with pytest.raises(EntityNotSet):
        public.registered_models()


def test_another_legal_entity_sees_no_calls(entity):
    public.understand(text="balance", at=AT, case_id=CASE)

    with legal_entity(entity="meridian-be"):
        assert public.calls_of(case_id=CASE) == ()
        assert public.registered_models() == ()


def test_registry_says_who_serves_since_when_and_by_whose_word(entity):
    public.register_shipped_models(at=AT)
    public.register_shipped_models(at=AT)

    models = {(m.capability, m.stage): m for m in public.registered_models()}

    assert set(models) == {
        ("intent.understand", "champion"),
        ("intent.understand", "fallback"),
        ("fraud.payments", "champion"),
        ("letters.read", "champion"),
        ("letters.reply", "champion"),
    }
    champion = models[("intent.understand", "champion")]
    assert champion.approved_by == "system:genesis"
    assert champion.since == AT
    assert champion.why


def test_the_story_payment_scores_high_and_says_why(entity):
    score = public.score_payment(features=STORY, at=AT, case_id=CASE)

    assert score.band == "high"
    assert score.reasons[0].code == "is_payee_iban_changed"
    assert "account number differs" in score.reasons[0].customer
    (call,) = public.calls_of(case_id=CASE)
    assert call.id == score.call_id
    assert call.call.result == "high"
    assert call.call.reasons[0] == "is_payee_iban_changed"


def test_an_altered_artefact_is_passed_over_for_the_fallback_and_both_hops_stand(
    entity, altered_champion
):
    meaning = public.understand(text="block my card please", at=AT, case_id=CASE)

    assert meaning.intent == public.Intent.CARD_BLOCK
    assert meaning.version == "seeds-1"
    first, second = calls(CASE)
    assert (first.outcome, first.why) == ("passed_over", "artefact_refused:digest_differs")
    assert (second.outcome, second.version, second.hop) == ("answered", "seeds-1", 1)


def test_without_any_model_a_person_has_to_answer(entity, altered_champion):
    set_alias("intent.understand", "fallback", None)

    with pytest.raises(public.NoModelAnswered) as refused:
        public.understand(text="balance", at=AT, case_id=CASE)

    assert refused.value.reasons == ("artefact_refused:digest_differs",)
    assert [call.outcome for call in calls(CASE)] == ["passed_over"]


def test_a_case_without_time_left_asks_no_model_and_goes_to_a_person(rules_in_force):
    public.register_shipped_models(at=AT)
    set_limit("case_time", "*", Money(1, "MSEC"))

    with pytest.raises(public.NoModelAnswered) as refused:
        public.understand(text="balance", at=AT, case_id=CASE)

    assert set(refused.value.reasons) == {"budget_exhausted:case_time"}
    assert {call.outcome for call in calls(CASE)} == {"passed_over"}
    assert public.understand(text="balance", at=AT).intent == public.Intent.BALANCE


def test_what_a_call_took_is_counted_against_its_case(rules_in_force):
    public.register_shipped_models(at=AT)
    set_limit("case_time", "*", Money(60_000, "MSEC"))

    public.understand(text="balance", at=AT, case_id=CASE)

    (call,) = calls(CASE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT holder, used_minor FROM sentinel_usage WHERE name = 'case_time'")
        assert cursor.fetchall() == [(f"case:{CASE}", -(-call.latency_us // 1_000))]


def test_going_back_to_a_version_is_one_more_line(entity):
    public.register_shipped_models(at=AT)
    set_alias("intent.understand", "champion", "seeds-1")
    assert public.understand(text="balance", at=AT).version == "seeds-1"

    set_alias("intent.understand", "champion", "1")

    assert public.understand(text="balance", at=AT).version == "1"


def test_a_challenger_answers_for_its_share_of_cases_and_always_the_same(entity):
    public.register_shipped_models(at=AT)
    set_alias("intent.understand", "challenger", "seeds-1", percent=100)
    assert public.understand(text="balance", at=AT).version == "seeds-1"

    set_alias("intent.understand", "challenger", "seeds-1", percent=0)

    assert public.understand(text="balance", at=AT).version == "1"


def test_a_shadow_is_asked_and_recorded_and_nobody_acts_on_it(entity):
    public.register_shipped_models(at=AT)
    set_alias("intent.understand", "shadow", "seeds-1")

    meaning = public.understand(text="balance", at=AT, case_id=CASE)

    assert meaning.version == "1"
    assert [(c.outcome, c.version) for c in calls(CASE)] == [
        ("answered", "1"),
        ("shadow", "seeds-1"),
    ]


@pytest.mark.parametrize("table", ["call", "alias_change", "model_version"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET entity = 'x'", "DELETE FROM {}"])
def test_history_is_never_rewritten(entity, table, statement):
    public.understand(text="balance", at=AT)

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement.format(f"intelligence_{table}"))


def test_not_even_the_owner_empties_the_record(owner_connection):
    with pytest.raises(psycopg.Error, match="append-only"):
        owner_connection.execute("TRUNCATE intelligence_call")


def test_the_feed_gives_each_call_once_in_order(entity):
    public.understand(text="balance", at=AT)
    first = registry.registered_models()

    assert first
    assert public.events_after(cursor="", limit=10) == ()  # this transaction is still running
    with pytest.raises(public.CursorNotUnderstood):
        public.events_after(cursor="x", limit=10)


def test_a_model_is_loaded_once_per_process(entity):
    local.load.cache_clear()
    for _ in range(3):
        public.understand(text="balance", at=AT)

    assert local.load.cache_info().misses == 1
