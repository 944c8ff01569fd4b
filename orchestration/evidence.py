"""The facts a rule needs of a payment, each naming the row that shows it and when it was seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import nexus.public
from orchestration import act
from sentinel.vocabulary import Fact

_IBAN_COUNTRY = 2


@dataclass(frozen=True, slots=True)
class PayeeKnowledge:
    """What the bank's records say of a payee the customer named."""

    is_known: bool
    does_iban_match: bool
    is_trusted: bool
    known_iban: str | None
    known_name: str | None
    known_phone: str
    reference: str


def payee_knowledge(*, customer_id: UUID, name: str, iban: str) -> PayeeKnowledge:
    """Return what is known of the payee of this name or number among the customer's own payees."""
    payees = nexus.public.payees_of(customer_id=customer_id)
    by_iban = next((payee for payee in payees if payee.iban == iban), None)
    by_name = next((payee for payee in payees if _alike(payee.name, name)), None)
    known = by_iban or by_name
    if known is None:
        nobody = f"nexus_fact:party:{customer_id}:payees"
        return PayeeKnowledge(
            is_known=False,
            does_iban_match=False,
            is_trusted=False,
            known_iban=None,
            known_name=None,
            known_phone="",
            reference=nobody,
        )
    # A number of somebody else's does not make the name's own record agree.
    does_match = by_iban is not None and (by_name is None or by_name.iban == iban)
    return PayeeKnowledge(
        is_known=True,
        does_iban_match=does_match,
        is_trusted=does_match and known.is_trusted,
        known_iban=(by_name or known).iban,
        known_name=(by_name or known).name,
        known_phone=(by_name or known).phone,
        reference=f"nexus_fact:payee:{(by_name or known).payee_id}",
    )


def payment_facts(
    *,
    parameters: Mapping[str, object],
    customer_id: UUID,
    given: Mapping[str, object],
    at: datetime,
) -> tuple[Fact, ...]:
    """Return the facts of a transfer as they are now.

    `given` holds what earlier steps of the flow found: `fraud` (a model's answer) and the answers
    of people, `screening_review`, `fraud_review`, `call_back` and `confirmation`; `purpose` is what
    the customer answered when asked, and `sources` says on which card.
    """
    iban, name = str(parameters["creditor_iban"]), str(parameters["creditor_name"])
    return (
        *_account_facts(customer_id, str(parameters["debtor_account_id"]), iban, at),
        *_payee_facts(customer_id, iban, name, at),
        *_screening_facts(iban, name, at),
        *_fraud_facts(_mapping(given, "fraud")),
        *_answers_of_people(given, iban, at),
        *_purpose_facts(given, at),
    )


def _account_facts(
    customer_id: UUID, debtor_account: str, creditor_iban: str, at: datetime
) -> tuple[Fact, ...]:
    state = nexus.public.customer_state(customer_id=customer_id)
    debtor = next((each for each in state.accounts if str(each.account_id) == debtor_account), None)
    account = f"nexus_account_state:{debtor_account}"
    person = f"nexus_fact:party:{customer_id}"
    owned = {each.iban for each in state.accounts}
    return (
        Fact("account_status", debtor.status if debtor else "unknown", account, at),
        Fact("customer_status", str(state.party.get("status", "unknown")), person, at),
        Fact("own_account", debtor is not None, account, at),
        Fact("creditor_own_account", creditor_iban in owned, account, at),
    )


def _payee_facts(customer_id: UUID, iban: str, name: str, at: datetime) -> tuple[Fact, ...]:
    known = payee_knowledge(customer_id=customer_id, name=name, iban=iban)
    check = act.check_payee(iban=iban, name=name)
    source = known.reference
    return (
        Fact("payee_known", known.is_known, source, at),
        Fact("payee_iban_matches_known", known.does_iban_match, source, at),
        Fact("payee_trusted", known.is_trusted, source, at),
        Fact("name_check", check.result, f"name_check:{iban[:_IBAN_COUNTRY]}", at),
    )


def _screening_facts(iban: str, name: str, at: datetime) -> tuple[Fact, ...]:
    found = act.screen_payee(name=name, country=iban[:_IBAN_COUNTRY], at=at)
    source = f"screening_list:{found.reference}"
    age = max(0, int((at - found.loaded_at).total_seconds()))
    listed = f"{found.list_name} {found.list_version}"
    return (
        Fact("screening_status", found.status, source, at),
        Fact("screening_list", listed, source, at),
        Fact("screening_age_seconds", age, source, at),
    )


def _fraud_facts(fraud: Mapping[str, object]) -> tuple[Fact, ...]:
    if not fraud:
        return ()
    source = f"intelligence_call:{fraud['reference']}"
    seen = datetime.fromisoformat(str(fraud["scored_at"]))
    return (
        Fact("fraud_score_permille", fraud["score_permille"], source, seen),
        Fact("fraud_band", fraud["band"], source, seen),
    )


def _answers_of_people(given: Mapping[str, object], iban: str, at: datetime) -> tuple[Fact, ...]:
    """Return what people of the bank, and the customer, have looked at and answered."""
    call_back = _mapping(given, "call_back")
    answers = (
        ("call_back_done", call_back, call_back.get("done") is True),
        ("screening_cleared_by_person", *_cleared(given, "screening_review")),
        ("fraud_cleared_by_person", *_cleared(given, "fraud_review")),
    )
    facts = [
        Fact(name, value, f"orch_task:{answer['reference']}", at)
        for name, answer, value in answers
        if answer
    ]
    confirmation = _mapping(given, "confirmation")
    card = _mapping(confirmation, "card")
    # Only what stood on the card was accepted: a corrected number is another payee.
    if confirmation.get("answer") == "confirm" and card.get("creditor_iban") == iban:
        source = f"orch_card:{confirmation['reference']}"
        facts.append(Fact("name_check_accepted", card.get("name_check") != "match", source, at))
    return tuple(facts)


def _purpose_facts(given: Mapping[str, object], at: datetime) -> tuple[Fact, ...]:
    """Return what the customer wrote when asked what the payment is for: the card shows it."""
    purpose = given.get("purpose")
    source = _mapping(_mapping(given, "sources"), "purpose")
    reference = str(source.get("reference", ""))
    if not purpose or not reference.startswith("card:"):
        return ()
    return (Fact("payment_purpose", str(purpose), f"orch_{reference}", at),)


def _cleared(given: Mapping[str, object], name: str) -> tuple[Mapping[str, object], bool]:
    review = _mapping(given, name)
    return review, review.get("cleared") is True


def _mapping(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = given.get(name)
    return value if isinstance(value, Mapping) else {}


def _alike(known: str, named: str) -> bool:
    return " ".join(known.casefold().split()) == " ".join(named.casefold().split())
