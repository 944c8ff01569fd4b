"""Posting one transfer, and holds: the owner-only functions through which money moves singly.

Every function first asks for the redemption of the same effect in this very transaction, compares
a repeated id field by field before it judges anything else, locks accounts in the order of their
ids, and decides under the lock. A refusal is a status and changes nothing; the CHECK constraints
stand behind that.
"""

from django.db import migrations

DESTINATION = """
-- Where money for an IBAN goes inside this bank: its own account, or clearing when another bank
-- holds it. NULL when the IBAN has this bank's code and no account.
CREATE FUNCTION ledger_destination(p_iban text, p_currency text)
RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT id INTO v_id FROM ledger_account WHERE entity = frontline_entity() AND iban = p_iban;
    IF FOUND THEN RETURN v_id; END IF;
    IF EXISTS (SELECT FROM core_bank WHERE p_iban LIKE own_ibans) THEN RETURN NULL; END IF;
    SELECT id INTO v_id FROM ledger_account
    WHERE entity = frontline_entity() AND kind = 'clearing' AND currency = p_currency
        AND party_id IS NULL;
    RETURN v_id;
END $$;
REVOKE ALL ON FUNCTION ledger_destination(text, text) FROM PUBLIC;
"""

BOOK = """
-- Move (or hold) an amount between two accounts under their locks. Not for the application.
CREATE FUNCTION ledger_book(
    p_id uuid, p_token uuid, p_debit uuid, p_credit uuid, p_amount bigint, p_currency text,
    p_kind smallint, p_name text, p_iban text, p_remittance text, p_end_to_end text,
    p_category text, p_expires timestamptz,
    OUT status text, OUT feed_position text, OUT balance bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    r ledger_account;
    d ledger_account;
    c ledger_account;
    t ledger_transfer;
    v_day date;
BEGIN
    SELECT * INTO t FROM ledger_transfer WHERE id = p_id;
    IF FOUND THEN
        status := CASE WHEN (t.debit_account, t.credit_account, t.amount, t.currency, t.kind,
                t.counterparty_name, t.counterparty_iban, t.remittance, t.end_to_end_id)
            = (p_debit, p_credit, p_amount, p_currency, p_kind, p_name, p_iban, p_remittance,
                p_end_to_end)
            THEN 'exists' ELSE 'exists_with_different' END;
        SELECT a.credits_posted - a.debits_posted INTO balance
        FROM ledger_account a WHERE a.id = t.debit_account;
        RETURN;
    END IF;
    IF p_credit IS NULL THEN status := 'account_unknown'; RETURN; END IF;
    IF p_debit = p_credit THEN status := 'same_account'; RETURN; END IF;
    FOR r IN SELECT * FROM ledger_account a WHERE a.id IN (p_debit, p_credit)
        ORDER BY a.id FOR NO KEY UPDATE
    LOOP
        IF r.id = p_debit THEN d := r; ELSE c := r; END IF;
    END LOOP;
    status := CASE
        WHEN d.id IS NULL OR c.id IS NULL THEN 'account_unknown'
        WHEN p_amount <= 0 OR p_amount > 1000000000000000 THEN 'amount_refused'
        WHEN d.status = 'closed' OR c.status = 'closed' THEN 'account_closed'
        WHEN d.status = 'blocked' THEN 'account_blocked'
        WHEN d.currency <> p_currency OR c.currency <> p_currency THEN 'currency_mismatch'
        WHEN d.flags & 1 = 1
            AND d.debits_pending + d.debits_posted + p_amount
                > d.credits_posted + d.overdraft_limit
            THEN 'insufficient_funds'
        WHEN c.flags & 2 = 2
            AND c.credits_pending + c.credits_posted + p_amount > c.debits_posted
            THEN 'credit_refused'
    END;
    IF status IS NOT NULL THEN RETURN; END IF;
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code, kind,
        booking_date, value_date, remittance, counterparty_name, counterparty_iban,
        end_to_end_id, category_hint, token, expires_at)
    VALUES (p_id, p_debit, p_credit, p_amount, p_currency, d.code, p_kind, v_day, v_day,
        p_remittance, p_name, p_iban, p_end_to_end, p_category, p_token, p_expires);
    UPDATE ledger_account a SET version = version + 1,
        debits_posted = debits_posted
            + CASE WHEN a.id = p_debit AND p_kind = 0 THEN p_amount ELSE 0 END,
        debits_pending = debits_pending
            + CASE WHEN a.id = p_debit AND p_kind = 1 THEN p_amount ELSE 0 END,
        credits_posted = credits_posted
            + CASE WHEN a.id = p_credit AND p_kind = 0 THEN p_amount ELSE 0 END,
        credits_pending = credits_pending
            + CASE WHEN a.id = p_credit AND p_kind = 1 THEN p_amount ELSE 0 END
    WHERE a.id IN (p_debit, p_credit);
    INSERT INTO gc_outbox (event_id, type, subject, transfers)
    VALUES (p_id, 'transfer.posted', 'transfer:' || p_id, ARRAY[p_id])
    RETURNING xact::text || ':' || position INTO feed_position;
    balance := d.credits_posted - d.debits_posted - CASE p_kind WHEN 0 THEN p_amount ELSE 0 END;
    status := CASE p_kind WHEN 0 THEN 'posted' ELSE 'held' END;
    PERFORM gc_state_execution(p_token, status, 'transfer:' || p_id, feed_position);
END $$;
REVOKE ALL ON FUNCTION ledger_book(uuid, uuid, uuid, uuid, bigint, text, smallint, text, text,
    text, text, text, timestamptz) FROM PUBLIC;
"""

POST = """
CREATE FUNCTION ledger_transfer_post(
    p_token uuid, p_debit uuid, p_creditor_iban text, p_creditor_name text, p_amount bigint,
    p_currency text, p_remittance text, p_end_to_end text, p_execution_date date, p_category text
) RETURNS TABLE (status text, transfer_id uuid, feed_position text, balance bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    transfer_id := p_token;
    IF NOT gc_take_redemption(p_token, format('transfer/v1|%s|%s|%s|%s',
            p_debit, p_creditor_iban, p_amount, p_currency)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    IF p_execution_date > (clock_timestamp() AT TIME ZONE 'UTC')::date
        AND p_execution_date > (SELECT b.date FROM core_business_date b) THEN
        status := 'not_due'; RETURN NEXT; RETURN;
    END IF;
    SELECT b.status, b.feed_position, b.balance INTO status, feed_position, balance
    FROM ledger_book(p_token, p_token, p_debit,
        ledger_destination(p_creditor_iban, p_currency), p_amount, p_currency, 0::smallint,
        p_creditor_name, p_creditor_iban, p_remittance, p_end_to_end, p_category, NULL) b;
    RETURN NEXT;
END $$;

CREATE FUNCTION ledger_hold(
    p_token uuid, p_debit uuid, p_creditor_iban text, p_creditor_name text, p_amount bigint,
    p_currency text, p_remittance text, p_timeout_seconds integer
) RETURNS TABLE (status text, transfer_id uuid, feed_position text, balance bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    transfer_id := p_token;
    IF NOT gc_take_redemption(p_token, format('hold/v1|%s|%s|%s|%s|%s', p_debit,
            p_creditor_iban, p_amount, p_currency, p_timeout_seconds)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    SELECT b.status, b.feed_position, b.balance INTO status, feed_position, balance
    FROM ledger_book(p_token, p_token, p_debit,
        ledger_destination(p_creditor_iban, p_currency), p_amount, p_currency, 1::smallint,
        p_creditor_name, p_creditor_iban, p_remittance, '', '',
        clock_timestamp() + make_interval(secs => p_timeout_seconds)) b;
    RETURN NEXT;
END $$;
"""

RESOLVE = """
-- Post a hold (wholly or in part) or void it; a hold is resolved once. Not for the application.
CREATE FUNCTION ledger_resolve(
    p_id uuid, p_token uuid, p_hold uuid, p_amount bigint, p_kind smallint,
    OUT status text, OUT feed_position text, OUT balance bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    h ledger_transfer;
    t ledger_transfer;
    v_day date;
BEGIN
    SELECT * INTO t FROM ledger_transfer WHERE id = p_id;
    IF FOUND THEN
        status := CASE WHEN (t.pending_id, t.kind, t.amount) = (p_hold, p_kind, p_amount)
            THEN 'exists' ELSE 'exists_with_different' END;
        RETURN;
    END IF;
    SELECT * INTO h FROM ledger_transfer WHERE id = p_hold AND kind = 1;
    IF NOT FOUND THEN status := 'hold_unknown'; RETURN; END IF;
    -- The accounts' locks come first, so that two who resolve one hold take turns.
    PERFORM FROM ledger_account a WHERE a.id IN (h.debit_account, h.credit_account)
        ORDER BY a.id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM ledger_transfer WHERE pending_id = p_hold) THEN
        status := 'hold_already_resolved'; RETURN;
    END IF;
    status := CASE
        WHEN p_kind = 2 AND h.expires_at <= clock_timestamp() THEN 'hold_expired'
        WHEN p_kind = 2 AND p_amount <= 0 THEN 'amount_refused'
        WHEN p_amount > h.amount THEN 'exceeds_hold'
    END;
    IF status IS NOT NULL THEN RETURN; END IF;
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code, kind,
        pending_id, booking_date, value_date, remittance, counterparty_name, counterparty_iban,
        end_to_end_id, category_hint, token)
    VALUES (p_id, h.debit_account, h.credit_account, p_amount, h.currency, h.code, p_kind, p_hold,
        v_day, v_day, h.remittance, h.counterparty_name, h.counterparty_iban, h.end_to_end_id,
        h.category_hint, p_token);
    UPDATE ledger_account a SET version = version + 1,
        debits_pending = debits_pending - CASE WHEN a.id = h.debit_account THEN h.amount ELSE 0 END,
        credits_pending = credits_pending
            - CASE WHEN a.id = h.credit_account THEN h.amount ELSE 0 END,
        debits_posted = debits_posted
            + CASE WHEN a.id = h.debit_account AND p_kind = 2 THEN p_amount ELSE 0 END,
        credits_posted = credits_posted
            + CASE WHEN a.id = h.credit_account AND p_kind = 2 THEN p_amount ELSE 0 END
    WHERE a.id IN (h.debit_account, h.credit_account);
    INSERT INTO gc_outbox (event_id, type, subject, transfers)
    VALUES (p_id, 'transfer.posted', 'transfer:' || p_id, ARRAY[p_id])
    RETURNING xact::text || ':' || position INTO feed_position;
    SELECT a.credits_posted - a.debits_posted INTO balance
    FROM ledger_account a WHERE a.id = h.debit_account;
    status := CASE p_kind WHEN 2 THEN 'posted' ELSE 'voided' END;
    PERFORM gc_state_execution(p_token, status, 'transfer:' || p_id, feed_position);
END $$;
REVOKE ALL ON FUNCTION ledger_resolve(uuid, uuid, uuid, bigint, smallint) FROM PUBLIC;

CREATE FUNCTION ledger_hold_post(p_token uuid, p_hold uuid, p_amount bigint, p_currency text)
RETURNS TABLE (status text, transfer_id uuid, feed_position text, balance bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    transfer_id := p_token;
    IF NOT gc_take_redemption(p_token,
            format('hold_post/v1|%s|%s|%s', p_hold, p_amount, p_currency)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    IF EXISTS (SELECT FROM ledger_transfer h WHERE h.id = p_hold AND h.currency <> p_currency) THEN
        status := 'currency_mismatch'; RETURN NEXT; RETURN;
    END IF;
    SELECT b.status, b.feed_position, b.balance INTO status, feed_position, balance
    FROM ledger_resolve(p_token, p_token, p_hold, p_amount, 2::smallint) b;
    RETURN NEXT;
END $$;

CREATE FUNCTION ledger_hold_void(p_token uuid, p_hold uuid)
RETURNS TABLE (status text, transfer_id uuid, feed_position text, balance bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    transfer_id := p_token;
    IF NOT gc_take_redemption(p_token, format('hold_void/v1|%s', p_hold)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    SELECT b.status, b.feed_position, b.balance INTO status, feed_position, balance
    FROM ledger_resolve(p_token, p_token, p_hold, 0, 3::smallint) b;
    RETURN NEXT;
END $$;

-- Void the holds whose time is over. Their time was part of what was permitted, so no further
-- token is asked for; the release carries the token of the hold.
CREATE FUNCTION ledger_expire_holds(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    h record;
    v_done integer := 0;
BEGIN
    FOR h IN SELECT t.id, t.token FROM ledger_transfer t
        WHERE t.kind = 1 AND t.entity = frontline_entity() AND t.expires_at <= clock_timestamp()
            AND NOT EXISTS (SELECT FROM ledger_transfer x WHERE x.pending_id = t.id)
        ORDER BY least(t.debit_account, t.credit_account), t.id LIMIT p_limit
    LOOP
        IF (SELECT b.status FROM ledger_resolve(gen_random_uuid(), h.token, h.id, 0,
                3::smallint) b) = 'voided' THEN
            v_done := v_done + 1;
        END IF;
    END LOOP;
    RETURN v_done;
END $$;
"""

PROOF = """
-- Recompute every counter from the transfers: the accounts that differ, and none when it balances.
CREATE FUNCTION ledger_differences()
RETURNS TABLE (account_id uuid, counter text, stored numeric, recomputed numeric)
LANGUAGE sql STABLE AS $$
    WITH moved AS (
        SELECT t.*, p.amount AS released FROM ledger_transfer t
        LEFT JOIN ledger_transfer p ON p.id = t.pending_id
    ), sides AS (
        SELECT debit_account AS id, 'debits' AS side, kind, amount, released FROM moved
        UNION ALL
        SELECT credit_account, 'credits', kind, amount, released FROM moved
    ), summed AS (
        SELECT id, side || '_posted' AS counter,
            sum(amount) FILTER (WHERE kind IN (0, 2)) AS total FROM sides GROUP BY id, side
        UNION ALL
        SELECT id, side || '_pending',
            sum(CASE kind WHEN 1 THEN amount WHEN 0 THEN 0 ELSE -released END)
        FROM sides GROUP BY id, side
    ), stored AS (
        SELECT a.id, v.counter, v.value FROM ledger_account a CROSS JOIN LATERAL (VALUES
            ('debits_posted', debits_posted), ('debits_pending', debits_pending),
            ('credits_posted', credits_posted), ('credits_pending', credits_pending)
        ) AS v (counter, value)
    )
    SELECT s.id, s.counter, s.value, coalesce(m.total, 0)
    FROM stored s LEFT JOIN summed m ON m.id = s.id AND m.counter = s.counter
    WHERE s.value <> coalesce(m.total, 0)
    UNION ALL
    -- A transfer on an account that is none would be missing on the other side of the sums.
    SELECT m.id, m.counter, 0, m.total FROM summed m
    WHERE m.total > 0 AND NOT EXISTS (SELECT FROM ledger_account a WHERE a.id = m.id)
$$;

CREATE FUNCTION ledger_sums()
RETURNS TABLE (currency text, accounts bigint, debits numeric, credits numeric)
LANGUAGE sql STABLE AS $$
    SELECT a.currency, count(*), sum(a.debits_posted + a.debits_pending),
        sum(a.credits_posted + a.credits_pending)
    FROM ledger_account a GROUP BY a.currency ORDER BY a.currency
$$;
"""

GRANTS = """
REVOKE ALL ON FUNCTION
    ledger_transfer_post(uuid, uuid, text, text, bigint, text, text, text, date, text),
    ledger_hold(uuid, uuid, text, text, bigint, text, text, integer),
    ledger_hold_post(uuid, uuid, bigint, text), ledger_hold_void(uuid, uuid),
    ledger_expire_holds(integer), ledger_differences(), ledger_sums() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger_transfer_post(uuid, uuid, text, text, bigint, text, text, text, date, text),
    ledger_hold(uuid, uuid, text, text, bigint, text, text, integer),
    ledger_hold_post(uuid, uuid, bigint, text), ledger_hold_void(uuid, uuid),
    ledger_expire_holds(integer), ledger_differences(), ledger_sums() TO frontline_app;
"""

UNDO = """
DROP FUNCTION ledger_sums();
DROP FUNCTION ledger_differences();
DROP FUNCTION ledger_expire_holds(integer);
DROP FUNCTION ledger_hold_void(uuid, uuid);
DROP FUNCTION ledger_hold_post(uuid, uuid, bigint, text);
DROP FUNCTION ledger_hold(uuid, uuid, text, text, bigint, text, text, integer);
DROP FUNCTION ledger_transfer_post(uuid, uuid, text, text, bigint, text, text, text, date, text);
DROP FUNCTION ledger_resolve(uuid, uuid, uuid, bigint, smallint);
DROP FUNCTION ledger_book(uuid, uuid, uuid, uuid, bigint, text, smallint, text, text,
    text, text, text, timestamptz);
DROP FUNCTION ledger_destination(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0001_initial"), ("sentinel", "0003_authority")]
    operations = [
        migrations.RunSQL(DESTINATION + BOOK + POST + RESOLVE + PROOF + GRANTS, UNDO)
    ]
