"""What tests of decision authority ask: pay, stop something, and look at what is written down."""

from datetime import timedelta

from tests.authority import change, count, decided, facts, now, payment

PAY = "payments.transfer"
THROW = "kill_switch.throw"


def reasons(decision):
    return [reason.policy_id for reason in decision.reasons]


def paid(principal, amount=5_000):
    return decided(payment(amount=amount), principal, facts(payee_trusted=True))


def thrown(principal):
    parameters = {"scope": "action:cards.block", "reason": "drill"}
    return decided(change(THROW, parameters), principal, (), "operations")


def rows():
    return {
        table: count(table)
        for table in ("sentinel_authority", "sentinel_authority_end", "sentinel_separation")
    }


def later(**span):
    return (now() + timedelta(**span)).isoformat()
