"""A customer keeps a receipt of a payment that anybody can check without the bank."""

import base64

import pytest

import interaction.public
import sentinel.public
from sentinel.verify import frontline_verify
from sentinel.vocabulary import Principal
from tests.journeys.test_send_money import asked_for_a_code, card_of


def log_key():
    (key,) = [
        each.verification_key
        for each in sentinel.public.public_keys()
        if (each.purpose, each.state) == ("log", "signs")
    ]
    return key


def test_a_paid_payment_has_a_receipt_its_customer_can_prove(bank, tmp_path, capsys):
    chat = bank.chat()
    done = chat.answers(asked_for_a_code(chat), answer="code", code=chat.code())
    assert card_of(done, "receipt")
    payment = interaction.public.payments(principal=bank.anna, at=bank.clock.now())[0]
    asked = {"payment_id": payment.id, "at": bank.clock.now()}
    with pytest.raises(interaction.public.ReceiptNotReady):
        interaction.public.payment_receipt(principal=bank.anna, **asked)
    while sentinel.public.run_sequencer_once():
        pass

    receipt = interaction.public.payment_receipt(principal=bank.anna, **asked)

    path = tmp_path / "payment.tlog-proof"
    path.write_text(receipt, encoding="utf-8")
    assert frontline_verify.main([str(path), "--key", log_key()]) == 0
    assert "executed" in capsys.readouterr().out
    entry = base64.b64decode(receipt.split("\n")[1].removeprefix("extra "))
    assert payment.decision_id.encode() in entry
    assert b"Hendriks" not in entry


def test_a_payment_that_was_not_made_or_is_another_s_has_none(bank):
    chat = bank.chat()
    asked_for_a_code(chat)
    payment = interaction.public.payments(principal=bank.anna, at=bank.clock.now())[0]
    asked = {"payment_id": payment.id, "at": bank.clock.now()}

    assert interaction.public.payment_receipt(principal=bank.anna, **asked) is None
    stranger = Principal(
        "customer:00000000-0000-4000-8000-000000000001", "customer", "x", bank.anna.entity
    )
    assert interaction.public.payment_receipt(principal=stranger, **asked) is None
