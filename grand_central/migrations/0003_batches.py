"""Batches: one token for many items, bound to them by the Merkle root of their lines.

An item is one line of JSON text, hashed as it stands. Every item has its own status and one bad
item does not sink the others. Items are judged in their order, each after the effect of those
before it, as if they had come one by one.
"""

from django.db import migrations

ROOT = r"""
-- The RFC 6962 root over lines of text, as hex. Pairing level by level and carrying a last odd
-- node up gives the same tree as splitting at the largest power of two.
CREATE FUNCTION gc_items_root(p_lines text[])
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
AS $$
DECLARE
    v_level bytea[];
    v_size integer;
BEGIN
    SELECT array_agg(sha256('\x00'::bytea || convert_to(line, 'UTF8')) ORDER BY n) INTO v_level
    FROM unnest(p_lines) WITH ORDINALITY AS l (line, n);
    v_size := coalesce(array_length(v_level, 1), 0);
    IF v_size = 0 THEN RETURN encode(sha256(''), 'hex'); END IF;
    WHILE v_size > 1 LOOP
        SELECT array_agg(CASE WHEN 2 * i > v_size THEN v_level[2 * i - 1]
            ELSE sha256('\x01'::bytea || v_level[2 * i - 1] || v_level[2 * i]) END ORDER BY i)
        INTO v_level FROM generate_series(1, (v_size + 1) / 2) AS i;
        v_size := (v_size + 1) / 2;
    END LOOP;
    RETURN encode(v_level[1], 'hex');
END $$;

CREATE FUNCTION gc_take_batch(p_token uuid, p_lines text[])
RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT gc_take_redemption(p_token, 'batch/v1|' || gc_items_root(p_lines)) $$;
REVOKE ALL ON FUNCTION gc_items_root(text[]), gc_take_batch(uuid, text[]) FROM PUBLIC;
"""

LEDGER = r"""
CREATE TYPE ledger_item AS (
    id uuid, debit uuid, credit uuid, amount bigint, currency text, booking date, value date,
    remittance text, name text, iban text, end_to_end text, category text
);

-- Judge the items against accounts that are locked already. Not for the application.
CREATE FUNCTION ledger_judge(p_items ledger_item[])
RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_ids uuid[];
    v_debit_room bigint[];
    v_credit_room bigint[];
    v_statuses text[] := array_fill(NULL::text, ARRAY[cardinality(p_items)]);
    r record;
BEGIN
    -- What may still leave an account, and what may still come in; NULL is no bound.
    SELECT array_agg(a.id ORDER BY a.id),
        array_agg(CASE WHEN a.flags & 1 = 1
            THEN a.credits_posted + a.overdraft_limit - a.debits_posted - a.debits_pending END
            ORDER BY a.id),
        array_agg(CASE WHEN a.flags & 2 = 2
            THEN a.debits_posted - a.credits_posted - a.credits_pending END ORDER BY a.id)
    INTO v_ids, v_debit_room, v_credit_room FROM ledger_account a
    WHERE a.id IN (SELECT i.debit FROM unnest(p_items) i UNION
        SELECT i.credit FROM unnest(p_items) i);
    FOR r IN
        SELECT i.n::integer AS n, i.first::integer AS first, i.amount, d.n::integer AS debit, c.n::integer AS credit, CASE
            WHEN t.id IS NOT NULL THEN CASE WHEN
                (t.debit_account, t.credit_account, t.amount, t.currency, t.kind, t.booking_date,
                    t.value_date, t.remittance, t.counterparty_name, t.counterparty_iban,
                    t.end_to_end_id, t.category_hint)
                = (i.debit, i.credit, i.amount, i.currency, 0, coalesce(i.booking, t.booking_date),
                    coalesce(i.value, i.booking, t.value_date), i.remittance, i.name, i.iban,
                    i.end_to_end, i.category)
                THEN 'exists' ELSE 'exists_with_different' END
            WHEN i.first < i.n THEN CASE WHEN i.is_same THEN 'repeated'
                ELSE 'repeated_with_different' END
            WHEN i.debit = i.credit THEN 'same_account'
            WHEN da.id IS NULL OR ca.id IS NULL THEN 'account_unknown'
            WHEN i.amount IS NULL OR i.amount <= 0 OR i.amount > 1000000000000000
                THEN 'amount_refused'
            WHEN i.remittance IS NULL OR i.name IS NULL OR i.iban IS NULL OR i.end_to_end IS NULL
                OR i.category IS NULL OR length(i.remittance) > 140 OR length(i.name) > 70
                OR length(i.end_to_end) > 35 OR i.remittance ~ '[\x01-\x1f\x7f]'
                OR i.name ~ '[\x01-\x1f\x7f]' THEN 'text_refused'
            WHEN da.status = 'closed' OR ca.status = 'closed' THEN 'account_closed'
            WHEN da.status = 'blocked' THEN 'account_blocked'
            WHEN i.currency IS DISTINCT FROM da.currency OR i.currency <> ca.currency
                THEN 'currency_mismatch'
            END AS status
        FROM (
            SELECT u.*, first_value(u.n) OVER same AS first,
                (u.debit, u.credit, u.amount, u.currency, u.booking, u.value, u.remittance,
                    u.name, u.iban, u.end_to_end, u.category)
                IS NOT DISTINCT FROM (first_value(u.debit) OVER same,
                    first_value(u.credit) OVER same, first_value(u.amount) OVER same,
                    first_value(u.currency) OVER same, first_value(u.booking) OVER same,
                    first_value(u.value) OVER same, first_value(u.remittance) OVER same,
                    first_value(u.name) OVER same, first_value(u.iban) OVER same,
                    first_value(u.end_to_end) OVER same, first_value(u.category) OVER same)
                AS is_same
            FROM unnest(p_items) WITH ORDINALITY AS u (id, debit, credit, amount, currency,
                booking, value, remittance, name, iban, end_to_end, category, n)
            WINDOW same AS (PARTITION BY u.id ORDER BY u.n)
        ) i
        LEFT JOIN ledger_transfer t ON t.id = i.id
        LEFT JOIN ledger_account da ON da.id = i.debit
        LEFT JOIN ledger_account ca ON ca.id = i.credit
        LEFT JOIN unnest(v_ids) WITH ORDINALITY AS d (id, n) ON d.id = i.debit
        LEFT JOIN unnest(v_ids) WITH ORDINALITY AS c (id, n) ON c.id = i.credit
        ORDER BY i.n
    LOOP
        IF r.status LIKE 'repeated%' THEN
            v_statuses[r.n] := CASE WHEN v_statuses[r.first] <> 'posted' THEN 'repeated_in_batch'
                WHEN r.status = 'repeated' THEN 'exists' ELSE 'exists_with_different' END;
        ELSIF r.status IS NOT NULL THEN
            v_statuses[r.n] := r.status;
        ELSIF v_debit_room[r.debit] < r.amount THEN
            v_statuses[r.n] := 'insufficient_funds';
        ELSIF v_credit_room[r.credit] < r.amount THEN
            v_statuses[r.n] := 'credit_refused';
        ELSE
            v_statuses[r.n] := 'posted';
            v_debit_room[r.debit] := v_debit_room[r.debit] - r.amount;
            v_debit_room[r.credit] := v_debit_room[r.credit] + r.amount;
            v_credit_room[r.credit] := v_credit_room[r.credit] - r.amount;
            v_credit_room[r.debit] := v_credit_room[r.debit] + r.amount;
        END IF;
    END LOOP;
    RETURN v_statuses;
END $$;
REVOKE ALL ON FUNCTION ledger_judge(ledger_item[]) FROM PUBLIC;

CREATE FUNCTION ledger_post_batch(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], posted integer, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_items ledger_item[];
    v_posted uuid[];
    v_wanted integer;
    v_day date;
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; posted := 0; RETURN NEXT; RETURN;
    END IF;
    SELECT array_agg(x::ledger_item ORDER BY l.n) INTO v_items
    FROM unnest(p_lines) WITH ORDINALITY AS l (line, n)
    CROSS JOIN LATERAL json_populate_record(NULL::ledger_item, l.line::json) AS x;
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    PERFORM FROM ledger_account a
    WHERE a.id IN (SELECT i.debit FROM unnest(v_items) i UNION
        SELECT i.credit FROM unnest(v_items) i)
    ORDER BY a.id FOR NO KEY UPDATE;
    statuses := ledger_judge(v_items);
    v_wanted := cardinality(array_positions(statuses, 'posted'));
    posted := 0;
    IF v_wanted = 0 THEN
        feed_position := '';
        PERFORM gc_state_execution(p_token, 'posted', 'batch:' || p_batch, feed_position);
        RETURN NEXT; RETURN;
    END IF;
    WITH written AS (
        INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code,
            kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,
            end_to_end_id, category_hint, token)
        SELECT i.id, i.debit, i.credit, i.amount, i.currency, 0, 0, coalesce(i.booking, v_day),
            coalesce(i.value, i.booking, v_day), i.remittance, i.name, i.iban, i.end_to_end,
            i.category, p_token
        FROM unnest(v_items, statuses) WITH ORDINALITY AS i (id, debit, credit, amount, currency,
            booking, value, remittance, name, iban, end_to_end, category, status, n)
        WHERE i.status = 'posted' ORDER BY i.n
        ON CONFLICT (id) DO NOTHING
        RETURNING id, debit_account, credit_account, amount
    ), sums AS (
        SELECT s.id, sum(s.debit)::bigint AS debits, sum(s.credit)::bigint AS credits FROM (
            SELECT debit_account AS id, amount AS debit, 0 AS credit FROM written
            UNION ALL SELECT credit_account, 0, amount FROM written) s
        GROUP BY s.id
    ), moved AS (
        UPDATE ledger_account a SET version = a.version + 1,
            debits_posted = a.debits_posted + s.debits,
            credits_posted = a.credits_posted + s.credits
        FROM sums s WHERE a.id = s.id
        RETURNING a.id
    )
    SELECT array_agg(w.id) INTO v_posted FROM written w;
    posted := coalesce(cardinality(v_posted), 0);
    IF posted <> v_wanted THEN
        -- Somebody else committed one of these ids between the judgement and the writing.
        RAISE EXCEPTION 'batch % met another writer of its items', p_batch
            USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO gc_outbox (event_id, type, subject, transfers)
    VALUES (p_token, 'transfer.posted', 'batch:' || p_batch, v_posted)
    RETURNING xact::text || ':' || position INTO feed_position;
    PERFORM gc_state_execution(p_token, 'posted', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION ledger_post_batch(uuid, uuid, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_post_batch(uuid, uuid, text[]) TO frontline_app;
"""

UNDO = """
DROP FUNCTION ledger_post_batch(uuid, uuid, text[]);
DROP FUNCTION ledger_judge(ledger_item[]);
DROP TYPE ledger_item;
DROP FUNCTION gc_take_batch(uuid, text[]);
DROP FUNCTION gc_items_root(text[]);
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0002_posting")]
    operations = [migrations.RunSQL(ROOT + LEDGER, UNDO)]
