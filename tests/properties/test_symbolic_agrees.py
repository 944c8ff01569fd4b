"""What the symbolic compiler says of a request is what Cedar says, for requests nobody chose."""

import random

import pytest

from deploy.rulebook import shipped_bundles
from sentinel.policy.bundles import Bundle
from sentinel.policy.engine import compile_rules
from sentinel.policy.proving import widening
from sentinel.policy.questions import KINDS, question, shape_of
from sentinel.public import action_kinds
from sentinel.vocabulary import Principal, Provenance

REQUESTS = 120
TEXTS = ("", "clear", "possible", "hit", "open", "active", "high", "close", "match", "operations")
NUMBERS = (0, 1, 604800, 604801, 500_000, 500_001, -1, 2**53 - 1, -(2**53) + 1)
USUAL = {
    "account_status": "open",
    "amount_minor": 1_000,
    "customer_status": "active",
    "fraud_band": "low",
    "has_unknown_source": False,
    "is_stopped": False,
    "name_check": "match",
    "screening_age_seconds": 60,
    "screening_status": "clear",
    "card_status": "active",
}
USUAL_OF = {"Bool": True, "Long": 7, "String": "customer_typed", "Set<String>": ["operations"]}
ODD = """
@id("odd-arithmetic") @customer("Odd.") @staff("Odd.")
forbid (principal, action == Action::"payments.transfer", resource)
when { context.amount_minor * 1024 * 1024 + 9223372036854775807 > 5 || -context.amount_minor >= 7 };
@id("odd-choice") @customer("Odd.") @staff("Odd.")
permit (principal is Agent in Role::"assistant", action == Action::"payments.transfer", resource)
when {
  if context has fraud_band then context.fraud_band != "high" else context.step_up_done
}
unless {
  ["clear", "hit"].contains(context.screening_status) &&
  principal in [Role::"adviser", Role::"operations"]
};
@id("odd-sets") @customer("Odd.") @staff("Odd.")
forbid (principal in Role::"employee", action == Action::"payments.transfer", resource)
when {
  context.approved_roles.containsAny(["operations", "hit"]) &&
  !context.approved_roles.containsAll(["operations", "open"]) &&
  resource has kind && resource.kind == "account" && principal has entity
};
"""
CHANGES = {
    "bank": ("context.screening_age_seconds > 604800", "context.screening_age_seconds >= 604801"),
    "cards": ("context has own_card && context.own_card", "context has own_card"),
    "payments": ('principal in Role::"adviser" ||', ""),
}


def rules(changes=(), added=""):
    bundles = []
    for each in shipped_bundles():
        content = each.content
        cedar = content.cedar
        if content.area in changes:
            cedar = cedar.replace(*CHANGES[content.area])
        if content.area == "payments":
            cedar += added
        bundles.append(Bundle(content.model_copy(update={"cedar": cedar})))
    return compile_rules(bundles, action_kinds())


@pytest.fixture(scope="module")
def versions():
    return [rules(), rules(tuple(CHANGES)), rules(added=ODD)]


def drawn(chance, found, action, kind):
    """A request as the pipeline could hand it in; now and then it lacks what it needs."""
    shape = shape_of(found, action)
    context = {}
    for name, type_name in shape.items():
        is_optional, plain = name.endswith("?"), name.removesuffix("?")
        if chance.random() < (0.4 if is_optional else 0.003):
            continue
        context[plain] = value_of(chance, found, action, plain, type_name)
    held = [role for role in sorted(found.roles) if chance.random() < 0.2]
    mandate = chance.choice(sorted(found.mandates))
    key = mandate if kind == "system" else "1"
    entity = chance.choice(("nl",) * 9 + ("be",))
    resource = f"{chance.choice(('account', 'card', 'thing'))}:1"
    return Principal(f"{kind}:{key}", kind, "p", entity, tuple(held)), resource, context


def value_of(chance, found, action, name, type_name):
    entry = found.kinds[action]
    fixed = {
        "human_only": entry.human_only,
        "risk": entry.risk,
        "entity": "nl",
        "purpose": chance.choice(sorted(found.purposes)),
    }
    if name in fixed:
        return fixed[name]
    if chance.random() < 0.9:
        return USUAL.get(name, USUAL_OF[type_name])
    if name.startswith("source_"):
        return chance.choice(list(Provenance)).value
    if type_name == "Bool":
        return chance.random() < 0.5
    if type_name == "Long":
        return abs(chance.choice(NUMBERS)) if "threshold" in name else chance.choice(NUMBERS)
    return chance.choice(TEXTS) if type_name == "String" else [t for t in TEXTS if flipped(chance)]


def flipped(chance):
    return chance.random() < 0.3


def pinned(asked, principal, resource, context):
    """Yield what makes the symbols exactly this request."""
    symbols, z3 = asked.symbols, asked.symbols.z3
    for role in asked.roles() - {symbols.kind}:
        yield symbols.role(role) == z3.BoolVal(role in principal.roles)
    if symbols.kind == "system":
        yield symbols.whole("mandate") == symbols.code_of(principal.id.removeprefix("system:"))
    yield symbols.whole("principal entity") == symbols.code_of(principal.entity)
    yield symbols.whole("resource kind") == symbols.code_of(resource.partition(":")[0])
    for name, type_name in symbols.shape.items():
        yield symbols.present(name) == z3.BoolVal(name in context)
        if name not in context:
            continue
        symbol, value = symbols.attribute(name), context[name]
        if type_name == "String":
            yield symbol.code == symbols.code_of(value)
        elif type_name == "Set<String>":
            yield from (
                symbol.holds(code) == z3.BoolVal(text in value)
                for text, code in {**symbols.texts}.items()
            )
        else:
            yield symbol == value


@pytest.mark.parametrize("seed", range(4))
def test_symbolic_and_cedar_agree_on_random_requests(versions, seed):
    chance = random.Random(seed)
    answers = []

    for _ in range(REQUESTS):
        found, kind = chance.choice(versions), chance.choice(KINDS)
        is_odd = chance.random() < 0.5
        action = "payments.transfer" if is_odd else chance.choice(sorted(found.kinds))
        principal, resource, context = drawn(chance, found, action, kind)
        asked = question(action, kind, found)
        solver, permits = asked.solver(), asked.permits(found)
        for text in TEXTS:
            asked.symbols.code_of(text)
        solver.add(*pinned(asked, principal, resource, context))
        by_cedar = found.evaluate(action, principal, resource, context).is_permitted
        says_yes = solver.check(permits) == asked.symbols.z3.sat
        says_no = solver.check(asked.symbols.z3.Not(permits)) == asked.symbols.z3.sat
        answers.append((by_cedar, says_yes, says_no))

    assert [each for each in answers if each[0] is not each[1] or each[1] is each[2]] == []
    assert 3 <= sum(by_cedar for by_cedar, _, _ in answers) <= REQUESTS - 3


def test_no_request_that_the_new_rules_permit_was_denied_when_nothing_is_found(versions):
    old, narrower = versions[0], rules(("payments",))
    found = widening(old, narrower)
    chance = random.Random(7)
    both = []

    for _ in range(REQUESTS):
        kind = chance.choice(KINDS)
        request = drawn(chance, old, "payments.transfer", kind)
        before = old.evaluate("payments.transfer", *request).is_permitted
        after = narrower.evaluate("payments.transfer", *request).is_permitted
        both.append((before, after))

    assert (found.verdict, found.asked) == ("none", 2)
    assert (False, True) not in both
