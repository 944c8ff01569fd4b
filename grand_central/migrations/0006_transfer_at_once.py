"""A payment in one statement: the permit is spent, the money moves, the outcome is on record.

It runs with the caller's rights and calls nothing that the application could not call one by one.
What is refused is undone inside, as if by a savepoint: neither the permit nor money is spent.
"""

from django.db import migrations

AT_ONCE = """
-- `redeemed` is Sentinel's answer, `status` the ledger's, or `outcome_refused` if the permit has
-- ended otherwise; without `recorded_at` nothing has changed.
CREATE FUNCTION ledger_transfer_at_once(
    p_token uuid, p_kind text, p_audience text, p_params_hash bytea, p_effect_digest bytea,
    p_key text, p_scopes text, p_epoch bigint, p_debit uuid, p_creditor_iban text,
    p_creditor_name text, p_amount bigint, p_currency text, p_remittance text, p_end_to_end text,
    p_execution_date date, p_record uuid, p_words text,
    OUT redeemed text, OUT status text, OUT feed_position text, OUT balance bigint,
    OUT recorded_at timestamptz
) LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    redeemed := sentinel_redeem(p_token, p_kind, p_audience, p_params_hash, p_effect_digest,
        p_key, string_to_array(p_scopes, ' '), p_epoch);
    IF redeemed <> 'redeemed' THEN RETURN; END IF;
    SELECT t.status, t.feed_position, t.balance INTO status, feed_position, balance
    FROM ledger_transfer_post(p_token, p_debit, p_creditor_iban, p_creditor_name, p_amount,
        p_currency, p_remittance, p_end_to_end, p_execution_date, '') t;
    IF status <> 'posted' THEN RAISE EXCEPTION '%', status USING ERRCODE = 'FL004'; END IF;
    recorded_at := sentinel_record_done(p_token, status, 'transfer:' || p_token, feed_position,
        p_words, p_record);
    IF recorded_at IS NULL THEN
        status := 'outcome_refused';
        RAISE EXCEPTION '%', status USING ERRCODE = 'FL004';
    END IF;
EXCEPTION
    WHEN SQLSTATE 'FL004' THEN RETURN;
    -- The constraints stand behind the judgement; a text of the wrong form ends here.
    WHEN check_violation THEN status := 'text_refused';
END $$;
REVOKE ALL ON FUNCTION ledger_transfer_at_once(uuid, text, text, bytea, bytea, text, text, bigint,
    uuid, text, text, bigint, text, text, text, date, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_transfer_at_once(uuid, text, text, bytea, bytea, text, text,
    bigint, uuid, text, text, bigint, text, text, text, date, uuid, text) TO frontline_app;
"""

UNDO = """
DROP FUNCTION ledger_transfer_at_once(uuid, text, text, bytea, bytea, text, text, bigint, uuid,
    text, text, bigint, text, text, text, date, uuid, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("grand_central", "0005_simulators_screening"),
        ("sentinel", "0005_outcome"),
    ]
    operations = [migrations.RunSQL(AT_ONCE, UNDO)]
