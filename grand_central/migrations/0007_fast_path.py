"""Posting in fewer statements: inner functions run as their caller, batches are judged as a set.

Only owner-only functions call the inner ones, so these already act as the owner and on its path.
"""

from importlib import import_module

from django.db import migrations

INNER = """
ALTER FUNCTION gc_take_redemption(uuid, text) SECURITY INVOKER RESET ALL;
ALTER FUNCTION gc_take_batch(uuid, text[]) SECURITY INVOKER RESET ALL;
ALTER FUNCTION gc_state_execution(uuid, text, text, text) SECURITY INVOKER RESET ALL;
ALTER FUNCTION ledger_destination(text, text) SECURITY INVOKER RESET ALL;
ALTER FUNCTION ledger_judge(ledger_item[], ledger_account[], ledger_transfer[])
    SECURITY INVOKER RESET ALL;
ALTER FUNCTION ledger_book(uuid, uuid, uuid, uuid, bigint, text, smallint, text, text, text, text,
    text, timestamptz) SECURITY INVOKER RESET ALL;
"""

BOOK = """
-- Move (or hold) an amount between two accounts under their locks. Not for the application.
CREATE OR REPLACE FUNCTION ledger_book(
    p_id uuid, p_token uuid, p_debit uuid, p_credit uuid, p_amount bigint, p_currency text,
    p_kind smallint, p_name text, p_iban text, p_remittance text, p_end_to_end text,
    p_category text, p_expires timestamptz,
    OUT status text, OUT feed_position text, OUT balance bigint
) LANGUAGE plpgsql
AS $$
DECLARE
    r ledger_account;
    d ledger_account;
    c ledger_account;
    t ledger_transfer;
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
    status := CASE p_kind WHEN 0 THEN 'posted' ELSE 'held' END;
    -- The one statement that writes: the transfer, both accounts, the feed and the core's own word.
    WITH booked AS (
        INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code,
            kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,
            end_to_end_id, category_hint, token, expires_at)
        VALUES (p_id, p_debit, p_credit, p_amount, p_currency, d.code, p_kind,
            (SELECT b.date FROM core_business_date b), (SELECT b.date FROM core_business_date b),
            p_remittance, p_name, p_iban, p_end_to_end, p_category, p_token, p_expires)
    ), moved AS (
        UPDATE ledger_account a SET version = version + 1,
            debits_posted = debits_posted
                + CASE WHEN a.id = p_debit AND p_kind = 0 THEN p_amount ELSE 0 END,
            debits_pending = debits_pending
                + CASE WHEN a.id = p_debit AND p_kind = 1 THEN p_amount ELSE 0 END,
            credits_posted = credits_posted
                + CASE WHEN a.id = p_credit AND p_kind = 0 THEN p_amount ELSE 0 END,
            credits_pending = credits_pending
                + CASE WHEN a.id = p_credit AND p_kind = 1 THEN p_amount ELSE 0 END
        WHERE a.id IN (p_debit, p_credit)
    ), announced AS (
        INSERT INTO gc_outbox (event_id, type, subject, transfers)
        VALUES (p_id, 'transfer.posted', 'transfer:' || p_id, ARRAY[p_id])
        RETURNING xact::text || ':' || position AS at
    )
    INSERT INTO gc_execution (token, action_kind, idempotency_key, status, reference, position)
    SELECT spent.token, spent.action_kind, spent.idempotency_key, status, 'transfer:' || p_id,
        announced.at
    FROM sentinel_redemption spent, announced WHERE spent.token = p_token
    RETURNING position INTO STRICT feed_position;
    balance := d.credits_posted - d.debits_posted - CASE p_kind WHEN 0 THEN p_amount ELSE 0 END;
END $$;
"""

POST = """
CREATE OR REPLACE FUNCTION ledger_transfer_post(
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
    -- The bank's day can be ahead of the clock's; it is looked up only when that matters.
    IF p_execution_date > (clock_timestamp() AT TIME ZONE 'UTC')::date THEN
        IF p_execution_date > (SELECT b.date FROM core_business_date b) THEN
            status := 'not_due'; RETURN NEXT; RETURN;
        END IF;
    END IF;
    SELECT b.status, b.feed_position, b.balance INTO status, feed_position, balance
    FROM ledger_book(p_token, p_token, p_debit,
        ledger_destination(p_creditor_iban, p_currency), p_amount, p_currency, 0::smallint,
        p_creditor_name, p_creditor_iban, p_remittance, p_end_to_end, p_category, NULL) b;
    RETURN NEXT;
END $$;
"""

ROOT = r"""
-- The RFC 6962 root over lines of text, as hex. A level is one run of 32-byte hashes; pairing them
-- and carrying a last odd one up gives the same tree as splitting at the largest power of two.
CREATE OR REPLACE FUNCTION gc_items_root(p_lines text[])
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
AS $$
DECLARE
    v_level bytea;
BEGIN
    SELECT string_agg(sha256('\x00'::bytea || convert_to(line, 'UTF8')), '' ORDER BY n)
    INTO v_level FROM unnest(p_lines) WITH ORDINALITY AS l (line, n);
    WHILE length(v_level) > 32 LOOP
        SELECT string_agg(CASE length(pair) WHEN 32 THEN pair ELSE sha256('\x01'::bytea || pair) END,
            '' ORDER BY n)
        INTO v_level FROM (
            SELECT n, substr(v_level, 64 * n - 63, 64) AS pair
            FROM generate_series(1, (length(v_level) + 63) / 64) AS n) AS pairs;
    END LOOP;
    RETURN encode(coalesce(v_level, sha256('')), 'hex');
END $$;
"""

BATCH = """
-- Post all items together if each of them can be posted in whatever order they come: known
-- accounts, one currency, and every account could bear its debits before any credit arrives.
-- Otherwise, and if a constraint objects (an id that is taken, a text), nothing has changed and
-- the answer is NULL: then the items must be judged one by one. Not for the application.
CREATE FUNCTION ledger_post_together(p_token uuid, p_batch uuid, p_items ledger_item[])
RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
    v_accounts uuid[];
    v_currencies text[];
    v_debits bigint[];
    v_credits bigint[];
    v_day date;
    v_position text;
BEGIN
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    SELECT array_agg(id), array_agg(currency), array_agg(debit), array_agg(credit)
    INTO v_accounts, v_currencies, v_debits, v_credits FROM (
        SELECT id, currency, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit FROM (
            SELECT debit AS id, currency, amount AS debit, 0 AS credit FROM unnest(p_items)
            UNION ALL SELECT credit, currency, 0, amount FROM unnest(p_items)) AS side
        GROUP BY id, currency) AS moved;
    IF cardinality(v_accounts) IS DISTINCT FROM (
        SELECT count(*) FROM (
            SELECT a.* FROM ledger_account a WHERE a.id = ANY (v_accounts)
            ORDER BY a.id FOR NO KEY UPDATE) AS a
        JOIN unnest(v_accounts, v_currencies, v_debits, v_credits)
            AS m (id, currency, debit, credit) ON m.id = a.id
        WHERE a.status = 'open' AND a.currency = m.currency
            AND (a.flags & 1 = 0 OR a.debits_pending + a.debits_posted + m.debit
                <= a.credits_posted + a.overdraft_limit)
            AND (a.flags & 2 = 0 OR a.credits_pending + a.credits_posted + m.credit
                <= a.debits_posted)) THEN
        RETURN NULL;
    END IF;
    WITH booked AS (
        INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code,
            kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,
            end_to_end_id, category_hint, token)
        SELECT i.id, i.debit, i.credit, i.amount, i.currency, 0, 0, coalesce(i.booking, v_day),
            coalesce(i.value, i.booking, v_day), i.remittance, i.name, i.iban, i.end_to_end,
            i.category, p_token
        FROM unnest(p_items) WITH ORDINALITY AS i (id, debit, credit, amount, currency, booking,
            value, remittance, name, iban, end_to_end, category, n) ORDER BY i.n
    ), moved AS (
        UPDATE ledger_account a SET version = a.version + 1,
            debits_posted = a.debits_posted + m.debit,
            credits_posted = a.credits_posted + m.credit
        FROM unnest(v_accounts, v_debits, v_credits) AS m (id, debit, credit)
        WHERE a.id = m.id
    )
    INSERT INTO gc_outbox (event_id, type, subject, transfers)
    SELECT p_token, 'transfer.posted', 'batch:' || p_batch, array_agg(i.id)
    FROM unnest(p_items) AS i
    RETURNING xact::text || ':' || position INTO v_position;
    RETURN v_position;
EXCEPTION
    WHEN unique_violation OR check_violation OR not_null_violation
        OR numeric_value_out_of_range THEN RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION ledger_post_together(uuid, uuid, ledger_item[]) FROM PUBLIC;
"""

POST_BATCH = """
CREATE OR REPLACE FUNCTION ledger_post_batch(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], posted integer, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_items ledger_item[];
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; posted := 0; RETURN NEXT; RETURN;
    END IF;
    SELECT array_agg(json_populate_record(NULL::ledger_item, l.line::json) ORDER BY l.n)
    INTO v_items FROM unnest(p_lines) WITH ORDINALITY AS l (line, n);
    feed_position := ledger_post_together(p_token, p_batch, v_items);
    IF feed_position IS NOT NULL THEN
        posted := cardinality(v_items);
        statuses := array_fill('posted'::text, ARRAY[posted]);
    ELSE
        SELECT s.statuses, s.posted, s.feed_position INTO statuses, posted, feed_position
        FROM ledger_post_singly(p_token, p_batch, v_items) s;
    END IF;
    PERFORM gc_state_execution(p_token, 'posted', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;
"""

SINGLY = """
-- Judge the items one by one, each after the effect of those before it, and post those that pass.
-- Not for the application.
CREATE FUNCTION ledger_post_singly(p_token uuid, p_batch uuid, p_items ledger_item[],
    OUT statuses text[], OUT posted integer, OUT feed_position text)
LANGUAGE plpgsql
AS $$
DECLARE
    v_ids uuid[];
    v_touched uuid[];
    v_accounts ledger_account[];
    v_known ledger_transfer[];
    v ledger_judgement;
    v_written integer;
    v_day date;
BEGIN
    SELECT array_agg(i.id), array_agg(i.debit) || array_agg(i.credit) INTO v_ids, v_touched
    FROM unnest(p_items) AS i;
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    SELECT coalesce(array_agg(locked::ledger_account), '{}') INTO v_accounts FROM (
        SELECT a.* FROM ledger_account a WHERE a.id = ANY (v_touched)
        ORDER BY a.id FOR NO KEY UPDATE) locked;
    SELECT coalesce(array_agg(t), '{}') INTO v_known FROM ledger_transfer t
    WHERE t.id = ANY (v_ids);
    v := ledger_judge(p_items, v_accounts, v_known);
    statuses := v.statuses;
    posted := cardinality(v.posted);
    feed_position := '';
    IF posted > 0 THEN
        INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code,
            kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,
            end_to_end_id, category_hint, token)
        SELECT i.id, i.debit, i.credit, i.amount, i.currency, 0, 0, coalesce(i.booking, v_day),
            coalesce(i.value, i.booking, v_day), i.remittance, i.name, i.iban, i.end_to_end,
            i.category, p_token
        FROM unnest(p_items, v.statuses) WITH ORDINALITY AS i (id, debit, credit, amount,
            currency, booking, value, remittance, name, iban, end_to_end, category, status, n)
        WHERE i.status = 'posted' ORDER BY i.n
        ON CONFLICT (id) DO NOTHING;
        GET DIAGNOSTICS v_written = ROW_COUNT;
        IF v_written <> posted THEN
            -- Somebody else committed one of these ids between the judgement and the writing.
            RAISE EXCEPTION 'batch % met another writer of its items', p_batch
                USING ERRCODE = 'serialization_failure';
        END IF;
        UPDATE ledger_account a SET version = a.version + 1,
            debits_posted = a.debits_posted + s.debit,
            credits_posted = a.credits_posted + s.credit
        FROM unnest(v.accounts, v.debits, v.credits) AS s (id, debit, credit)
        WHERE a.id = s.id AND s.debit + s.credit > 0;
        INSERT INTO gc_outbox (event_id, type, subject, transfers)
        VALUES (p_token, 'transfer.posted', 'batch:' || p_batch, v.posted)
        RETURNING xact::text || ':' || position INTO feed_position;
    END IF;
END $$;
REVOKE ALL ON FUNCTION ledger_post_singly(uuid, uuid, ledger_item[]) FROM PUBLIC;
"""

_INNER_AS_BEFORE = INNER.replace(
    "SECURITY INVOKER RESET ALL", "SECURITY DEFINER SET search_path = public, pg_temp"
)
_DROP = """
DROP FUNCTION ledger_post_together(uuid, uuid, ledger_item[]);
DROP FUNCTION ledger_post_singly(uuid, uuid, ledger_item[]);
"""


def _as_before() -> str:
    """Return the statements that put the functions back as the earlier migrations made them."""
    posting = import_module("grand_central.migrations.0002_posting")
    batches = import_module("grand_central.migrations.0003_batches")
    made = (
        posting.BOOK,
        posting.POST.partition("CREATE FUNCTION ledger_hold")[0],
        batches.ROOT.partition("CREATE FUNCTION gc_take_batch")[0],
        "CREATE FUNCTION ledger_post_batch"
        + batches.LEDGER.partition("CREATE FUNCTION ledger_post_batch")[2],
    )
    restored = "".join(made).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    return restored + _INNER_AS_BEFORE + _DROP


class Migration(migrations.Migration):
    dependencies = [
        ("grand_central", "0006_transfer_at_once"),
        ("sentinel", "0006_fast_path"),
    ]
    operations = [
        migrations.RunSQL(INNER + BOOK + POST + ROOT + BATCH + SINGLY + POST_BATCH, _as_before())
    ]
