"""A token is for one action to the letter: every change of one field of any of them is refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from sentinel.catalogue import action_kind, salt_for, typed_parameters
from sentinel.public import TokenRefused, action_kinds, present
from sentinel.signing.token_keys import token_signer
from sentinel.tokens import Grant, mint
from sentinel.vocabulary import Action
from tests import authority
from tests.authority import count, customer, now
from tests.journeys.test_own_affairs import Holder, parameters_about

pytestmark = pytest.mark.usefixtures("bank")
WHOSE = Holder(uuid4(), uuid4(), uuid4())
KINDS = sorted(parameters_about(WHOSE))


def action_of(kind):
    resource, parameters = parameters_about(WHOSE)[kind]
    return replace(authority.change(kind, parameters), resource=resource)


def permit(action):
    """A sound token for an action, signed by the bank's own key, whatever its rules would say."""
    entry, signer, anna = action_kind(action.kind), token_signer("meridian-nl"), customer()
    salt = salt_for(b"k" * 32, action.kind)
    grant = Grant(
        decision_id=uuid4(),
        entity="meridian-nl",
        audience=entry.audience,
        subject=anna.id,
        principal=anna,
        action_kind=action.kind,
        resource=action.resource,
        case_id=action.case_id,
        purpose="payments",
        salt=salt,
        params_hash=typed_parameters(entry, action).hash_with(salt),
        bundle="bank@1",
        engine="cedarpy",
        policies=("p",),
        approval_id="",
        epoch=0,
        issued_at=now(),
    )
    return mint(grant, signer)


def refusal(token, action, audience=None):
    """Why a token is refused for an action; empty when it is not."""
    try:
        with transaction.atomic():
            present(token=token, action=action, audience=audience or token.audience)
    except TokenRefused as refused:
        return refused.reason
    return ""


def altered(value):
    """Every way in which one value may be made another."""
    if isinstance(value, dict):
        yield from (
            {**value, name: other} for name, part in value.items() for other in altered(part)
        )
        yield from ({k: v for k, v in value.items() if k != name} for name in value)
        yield {**value, "more": 1}
    elif isinstance(value, list):
        yield [*value, *value]
        yield [*value, "more"]
        yield value[1:]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -value - 1, f"{value}", f"0{value}", "1e3", value + 0.5)
        yield from (Decimal(value) / 3, None, [value], True, 2**53, value * 2**64 + 1)
    elif isinstance(value, str):
        yield from other_texts(value)
    else:
        yield from ("x", 1, {})


def other_texts(text):
    yield from ("", f"{text} ", f" {text}", f"{text}\N{ZERO WIDTH SPACE}", f"{text}\0", text * 2)
    yield from (text[:-1], text[1:], None, [text], {"text": text})
    yield replaced_digit(text) or f"{text}x"
    # Cyrillic letters that look like Latin ones, and a letter composed of two.
    yield text.replace("e", "\N{CYRILLIC SMALL LETTER IE}") + "\N{COMBINING ACUTE ACCENT}"
    yield text.replace("o", "\N{CYRILLIC SMALL LETTER O}").replace(
        "a", "\N{LATIN SMALL LETTER ALPHA}"
    )


def replaced_digit(text):
    place = next((index for index, sign in enumerate(text) if sign in "012345678"), None)
    return place is not None and f"{text[:place]}{int(text[place]) + 1}{text[place + 1 :]}"


def is_same(kind, one, other):
    """Whether two sets of parameters mean the same, so that no field was changed at all."""
    return one == other and all(type(one[name]) is type(other[name]) for name in one)


def test_every_kind_of_action_is_looked_at():
    assert set(KINDS) == {entry.kind for entry in action_kinds()}


@pytest.mark.parametrize("kind", KINDS)
def test_token_is_refused_once_any_field_differs(kind):
    action = action_of(kind)
    token = permit(action)
    changes = [
        other
        for other in altered(dict(action.parameters))
        if not is_same(kind, other, action.parameters)
    ]

    let_through = [
        other
        for other in changes
        if refusal(token, replace(action, parameters=other)) != "other_parameters"
    ]

    assert len(changes) > len(action.parameters) * 5
    assert let_through == []
    assert refusal(token, action) == ""
    assert count("sentinel_redemption") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_token_is_refused_for_another_resource_case_kind_and_connector(kind):
    action = action_of(kind)
    token = permit(action)
    others = [each for each in KINDS if each != kind]

    assert refusal(token, replace(action, resource=f"{action.resource}0")) == "other_parameters"
    assert refusal(token, replace(action, case_id=UUID(int=1))) == "other_parameters"
    assert {refusal(token, replace(action, kind=other)) for other in others} == {"other_parameters"}
    audiences = {entry.audience for entry in action_kinds()} - {token.audience}
    assert {refusal(token, action, each) for each in audiences} == {"wrong_connector"}


def test_names_that_are_the_same_text_in_two_encodings_are_one_name():
    composed = authority.payment(name="Caf\N{LATIN SMALL LETTER E WITH ACUTE} B.V.")
    token = permit(composed)

    decomposed = authority.with_parameters(
        composed, creditor_name="Cafe\N{COMBINING ACUTE ACCENT} B.V."
    )

    assert refusal(token, decomposed) == ""


def test_a_date_is_that_day_and_nothing_like_it():
    action = authority.payment()
    token = permit(action)
    spellings = ["2026-11-21T00:00:01", "20261122", "21-11-2026", 1795219200, date(2026, 11, 22)]

    found = {
        refusal(token, authority.with_parameters(action, execution_date=each)) for each in spellings
    }

    assert found == {"other_parameters"}


def test_an_action_of_no_kind_is_refused():
    action = authority.payment()

    assert refusal(permit(action), Action(**{**as_dict(action), "kind": ""})) == "other_parameters"


def as_dict(action):
    return {name: getattr(action, name) for name in Action.__dataclass_fields__}
