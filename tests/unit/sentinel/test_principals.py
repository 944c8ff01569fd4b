from dataclasses import replace

import pytest

from sentinel.principals import (
    chain_ids,
    chain_refusal,
    customer_of,
    kill_switch_scopes,
    subject_of,
)
from sentinel.vocabulary import Principal

ANNA = Principal("customer:1", "customer", "p", "nl", ("customer",))
AGENT = Principal("agent:concierge", "agent", "", "nl", ("assistant",), on_behalf_of=ANNA)
ROLES, MANDATES = frozenset({"customer", "assistant"}), frozenset({"seed"})


def refusal(principal):
    found = chain_refusal(principal, entity="nl", roles=ROLES, mandates=MANDATES)
    return found and found[0]


def test_known_chain_passes():
    assert refusal(ANNA) is None
    assert refusal(AGENT) is None
    assert refusal(Principal("system:seed", "system", "", "nl")) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "customer:",
        "customer",
        "employee:1",
        "customer:a b",
        "customer:1\n",
        "customer:é",
        "root",
    ],
)
def test_name_of_another_shape_is_refused(name):
    assert refusal(replace(ANNA, id=name)) == "principal_refused"


def test_every_link_is_checked():
    assert refusal(replace(AGENT, on_behalf_of=replace(ANNA, entity="be"))) == "cross_entity"
    assert refusal(replace(AGENT, on_behalf_of=replace(ANNA, roles=("king",)))) == "unknown_role"
    assert refusal(Principal("system:nobody", "system", "", "nl")) == "unknown_role"


def test_circle_is_refused():
    assert refusal(replace(ANNA, on_behalf_of=ANNA)) == "principal_refused"


def test_long_chain_is_refused():
    link = ANNA
    for number in range(4):
        link = Principal(f"agent:{number}", "agent", "", "nl", on_behalf_of=link)

    assert refusal(link) == "chain_too_long"


@pytest.mark.parametrize(
    ("principal", "resource", "subject"),
    [
        (ANNA, "account:9", "customer:1"),
        (AGENT, "account:9", "customer:1"),
        (Principal("system:seed", "system", "", "nl"), "party:7", "customer:7"),
        (Principal("system:seed", "system", "", "nl"), "batch:7", "system:seed"),
    ],
)
def test_subject_is_whose_data_it_is(principal, resource, subject):
    assert subject_of(principal, resource) == subject


def test_customer_is_found_anywhere_in_the_chain():
    assert customer_of(AGENT) == ANNA
    assert customer_of(Principal("system:seed", "system", "", "nl")) is None


def test_switches_reach_every_link():
    scopes = kill_switch_scopes(chain_ids(AGENT), "payments.transfer", "k")

    assert scopes == [
        "all",
        "action:payments.transfer",
        "kid:k",
        "actor:agent:concierge",
        "actor:customer:1",
        "agents",
        "agent:concierge",
    ]
