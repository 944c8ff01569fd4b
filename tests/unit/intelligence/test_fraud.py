"""The fraud score: additive to the last digit, explained, and in the order common sense expects."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intelligence.capabilities.fraud.features import PaymentFeatures
from intelligence.capabilities.fraud.model import AdditiveModel
from intelligence.capabilities.fraud.simulation import simulate
from sentinel.vocabulary import Provenance
from tests.unit.intelligence.shipped import model

USUAL = {
    "median_amount_minor_units": 4_500,
    "p95_amount_minor_units": 90_000,
    "account_age_days": 2_000,
    "hour": 14,
}
RENT = PaymentFeatures(85_000, payee_age_days=400, iban_source=Provenance.SYSTEM_OF_RECORD, **USUAL)
SWAPPED = PaymentFeatures(
    85_000,
    payee_age_days=400,
    is_payee_iban_changed=True,
    iban_source=Provenance.DOCUMENT,
    **USUAL,
)
FRIEND = PaymentFeatures(2_500, is_new_payee=True, iban_source=Provenance.CUSTOMER_TYPED, **USUAL)
TAKEOVER = PaymentFeatures(
    300_000,
    is_new_payee=True,
    is_new_country=True,
    payments_last_day=5,
    sum_last_day_minor_units=500_000,
    iban_source=Provenance.CUSTOMER_TYPED,
    **{**USUAL, "hour": 3},
)


def fraud_model():
    return model("fraud.payments-1")


@pytest.mark.parametrize(
    ("features", "band"),
    [(RENT, "low"), (FRIEND, "low"), (SWAPPED, "high"), (TAKEOVER, "high")],
)
def test_the_band_is_what_an_analyst_would_say(features, band):
    assert fraud_model().score(features).band == band


def test_the_reasons_come_strongest_first_in_words_for_both():
    reasons = fraud_model().score(SWAPPED).reasons

    assert reasons[0].code == "is_payee_iban_changed"
    assert [r.contribution for r in reasons] == sorted(
        (r.contribution for r in reasons), reverse=True
    )
    assert reasons[0].staff == "IBAN differs from the one this payee was paid on before"
    assert "850" not in "".join(r.customer for r in reasons)


FEATURES = st.builds(
    PaymentFeatures,
    amount_minor_units=st.integers(1, 10**10),
    median_amount_minor_units=st.none() | st.integers(0, 10**7),
    p95_amount_minor_units=st.none() | st.integers(0, 10**8),
    is_new_payee=st.booleans(),
    payee_age_days=st.none() | st.integers(0, 10**4),
    is_payee_iban_changed=st.booleans(),
    is_new_country=st.booleans(),
    iban_source=st.sampled_from(Provenance),
    hour=st.integers(0, 23),
    payments_last_day=st.integers(0, 100),
    sum_last_day_minor_units=st.integers(0, 10**9),
    account_age_days=st.none() | st.integers(0, 10**4),
)


@settings(max_examples=300, deadline=None)
@given(FEATURES)
def test_the_contributions_add_up_to_the_score(features):
    scored = fraud_model().score(features)

    total = scored.baseline + math.fsum(part for _, part in scored.contributions)
    assert math.isclose(math.log(scored.value / (1 - scored.value)), total, abs_tol=1e-6)
    assert {r.code for r in scored.reasons} <= {name for name, _ in scored.contributions}


@settings(max_examples=100, deadline=None)
@given(FEATURES)
def test_a_changed_iban_never_lowers_the_score(features):
    fields = {name: getattr(features, name) for name in features.__slots__}

    same = fraud_model().score(PaymentFeatures(**{**fields, "is_payee_iban_changed": False}))
    changed = fraud_model().score(PaymentFeatures(**{**fields, "is_payee_iban_changed": True}))

    assert changed.value >= same.value


def test_the_same_seed_invents_the_same_payments():
    first, again, other = (simulate(payments=300, seed=seed) for seed in (1, 1, 2))

    assert (first.rows == again.rows).all()
    assert not (first.rows == other.rows).all()
    assert first.is_fraud.sum() == 3


@pytest.mark.parametrize(
    "card",
    [
        {"format": "pickle"},
        {"format": "additive-scorecard/1", "terms": [], "bands": None},
        {
            "format": "additive-scorecard/1",
            "bands": {"medium": 0.1, "high": 0.5},
            "intercept": 0,
            "terms": [{"feature": "hour", "edges": [1.0], "scores": [0.0]}],
        },
    ],
)
def test_a_card_that_does_not_fit_is_refused(card):
    with pytest.raises(ValueError, match=r"artefact|fit together"):
        AdditiveModel.from_artefact(card, {})
