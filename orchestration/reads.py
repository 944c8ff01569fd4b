"""`read:<name>` steps: what a flow looks at before it proposes anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

import nexus.public
from orchestration import act, context_graph, evidence
from orchestration.step_results import Answered, StepContext
from orchestration.wording import money_words
from sentinel.vocabulary import Money

_PROBLEMS = {
    "iban_invalid": "That account number (IBAN) contains a mistake. Please check it.",
    "debtor_not_yours": "The account to pay from is not one of yours.",
    "debtor_not_open": "The account to pay from is not open for payments.",
    "same_account": "This is the account the money would come from, so there is nothing to pay.",
    "currency_mismatch": "Your account is kept in {currency}; it cannot pay {asked}.",
    "account_unknown": "This bank has no account with that number.",
    "account_closed": "The account you want to pay to is closed.",
    "insufficient_funds": "There is not enough money in the account: {available} is available.",
}
_NAME_CHECK = {
    "match": "The name belongs to this account number.",
    "close": "Almost: the account is held by {name}.",
    "mismatch": "The name does not belong to this account number.",
    "unavailable": "The other bank could not tell whether the name belongs to this number.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a payment cannot be made as it is; `words` are for the customer."""

    code: str
    words: str


def payment_preview(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Look at a payment before anybody is asked: what stands against it, the name, the payee.

    Input `payment`. `problem` is None or {code, words}.
    """
    payment = inputs["payment"]
    assert isinstance(payment, Mapping)
    assert context.customer_id is not None
    iban, name = str(payment["creditor_iban"]), str(payment["creditor_name"])
    state = nexus.public.customer_state(customer_id=context.customer_id)
    debtor = _debtor(state, payment)
    problem = problem_of_payment(state, payment)
    known = evidence.payee_knowledge(customer_id=context.customer_id, name=name, iban=iban)
    return Answered(
        {
            "problem": {"code": problem.code, "words": problem.words} if problem else None,
            "name_check": _name_check(iban, name),
            "is_own_account": iban in {each.iban for each in state.accounts},
            "is_payee_known": known.is_known,
            "is_payee_trusted": known.is_trusted,
            "is_iban_known": known.does_iban_match,
            "known_name": known.known_name,
            "known_iban": known.known_iban,
            "known_phone": known.known_phone,
            "known_reference": known.reference,
            "debtor_name": debtor.name if debtor else None,
            "debtor_iban": debtor.iban if debtor else None,
            "context": context_graph.snapshot(
                customer_id=context.customer_id,
                account_id=str(payment["debtor_account_id"]),
                case_id=context.case_id,
                key=context.key,
                purpose="payments",
                at=context.at,
            ),
        }
    )


def problem_of_payment(
    state: nexus.public.CustomerState, payment: Mapping[str, object]
) -> Problem | None:
    """Return what stands against a payment before any rule is asked, if anything."""
    iban, amount = str(payment["creditor_iban"]), money_of(payment["amount"])
    if not act.is_valid_iban(iban):
        return Problem("iban_invalid", _PROBLEMS["iban_invalid"])
    debtor = _debtor(state, payment)
    if debtor is None:
        return Problem("debtor_not_yours", _PROBLEMS["debtor_not_yours"])
    code = _code_against(debtor, iban, amount)
    if code is None:
        return None
    available = act.available_now(debtor.account_id)
    shown = money_words(available.minor_units, available.currency) if available else "nothing"
    words = _PROBLEMS[code].format(available=shown, currency=debtor.currency, asked=amount.currency)
    return Problem(code, words)


def _debtor(
    state: nexus.public.CustomerState, payment: Mapping[str, object]
) -> nexus.public.AccountView | None:
    wanted = str(payment["debtor_account_id"])
    return next((each for each in state.accounts if str(each.account_id) == wanted), None)


def _code_against(debtor: nexus.public.AccountView, iban: str, amount: Money) -> str | None:
    creditor = act.account_behind(iban)
    available = act.available_now(debtor.account_id)
    is_ours = act.is_number_of_this_bank(iban)
    checks = (
        ("debtor_not_open", debtor.status != "open"),
        ("same_account", iban == debtor.iban),
        ("currency_mismatch", amount.currency != debtor.currency),
        ("account_unknown", creditor is None and is_ours),
        ("account_closed", creditor is not None and creditor.status == "closed"),
        ("currency_mismatch", creditor is not None and creditor.currency != amount.currency),
        ("insufficient_funds", available is None or available.minor_units < amount.minor_units),
    )
    return next((code for code, is_so in checks if is_so), None)


def _name_check(iban: str, name: str) -> dict[str, object]:
    check = act.check_payee(iban=iban, name=name)
    words = _NAME_CHECK[check.result].format(name=check.matched_name_masked or "somebody else")
    return {"result": check.result, "words": words}


def screening(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Look a payee up on the loaded sanctions lists. Inputs `name` and `iban`."""
    country = str(inputs["iban"])[:2]
    found = act.screen_payee(name=str(inputs["name"]), country=country, at=context.at)
    return Answered(
        {
            "status": found.status,
            "list_name": found.list_name,
            "list_version": found.list_version,
            "loaded_at": found.loaded_at.isoformat(),
            "reference": str(found.reference),
            "candidates": [
                {
                    "name": str(candidate.name),
                    "programme": str(candidate.programme),
                    "score_permille": candidate.score_permille,
                }
                for candidate in found.candidates
            ],
        }
    )


def balance(context: StepContext, _inputs: Mapping[str, object]) -> Answered:
    """Read what the customer's accounts hold."""
    assert context.customer_id is not None
    state = nexus.public.customer_state(customer_id=context.customer_id)
    accounts = [
        {
            "name": account.name,
            "iban": account.iban,
            "balance": {"minor_units": account.booked_minor_units, "currency": account.currency},
        }
        for account in state.accounts
        if account.status != "closed"
    ]
    return Answered({"accounts": accounts, "as_of": context.at.isoformat()})


def spending(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Read what went out between `since` and `until`, by category or, for one, by month."""
    assert context.customer_id is not None
    since, until = (
        date.fromisoformat(str(inputs["since"])),
        date.fromisoformat(str(inputs["until"])),
    )
    category = inputs.get("category")
    spent = nexus.public.spending(
        customer_id=context.customer_id,
        since=since,
        until=until,
        category=str(category) if category else None,
    )
    sums: dict[str, int] = {}
    for line in spent:
        label = f"{line.month:%B %Y}" if category else line.category
        sums[label] = sums.get(label, 0) + line.minor_units
    currency = spent[0].currency if spent else "EUR"
    lines = [
        {"label": label, "amount": {"minor_units": total, "currency": currency}}
        for label, total in sorted(sums.items(), key=lambda item: -item[1])
    ]
    total = {"minor_units": sum(sums.values()), "currency": currency}
    return Answered({"total": total, "lines": lines})


def last_booking(customer_id: UUID, text: str) -> nexus.public.Booking | None:
    """Return the customer's latest outgoing booking that a text describes."""
    wanted = nexus.public.BookingFilter(search=text, direction="out")
    page = nexus.public.transactions(customer_id=customer_id, filters=wanted, limit=1)
    return page.bookings[0] if page.bookings else None


def money_of(value: object) -> Money:
    """Return the money of a JSON value.

    Raises:
        ValueError: the value is no money.
    """
    if isinstance(value, Mapping):
        minor_units, currency = value.get("minor_units"), value.get("currency")
        if isinstance(minor_units, int) and isinstance(currency, str):
            return Money(minor_units, currency)
    msg = "not an amount of money"
    raise ValueError(msg)


def reference(context: StepContext, _inputs: Mapping[str, object]) -> Answered:
    """Give this visit of the node a reference of its own, the same however often it is asked."""
    return Answered({"reference": uuid5(context.instance_id, context.key).hex[:20].upper()})
