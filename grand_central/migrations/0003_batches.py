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

-- What a judgement yields: a status per item, and what moves on which account. All in order.
CREATE TYPE ledger_judgement AS (
    statuses text[], posted uuid[], accounts uuid[], debits bigint[], credits bigint[]
);

-- Judge the items against accounts that are locked already. Not for the application. Rows are
-- fetched by their ids into arrays first, so that no plan ever reads a whole table.
CREATE FUNCTION ledger_judge(
    p_items ledger_item[], p_accounts ledger_account[], p_known ledger_transfer[]
) RETURNS ledger_judgement
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v ledger_judgement;
    v_debit_room bigint[];
    v_credit_room bigint[];
    v_statuses text[] := array_fill(NULL::text, ARRAY[cardinality(p_items)]);
    v_posted uuid[] := '{}';
    v_debits bigint[] := array_fill(0::bigint, ARRAY[cardinality(p_accounts)]);
    v_credits bigint[] := array_fill(0::bigint, ARRAY[cardinality(p_accounts)]);
    r record;
BEGIN
    -- What may still leave an account, and what may still come in; NULL is no bound.
    SELECT array_agg(a.id ORDER BY n),
        array_agg(CASE WHEN a.flags & 1 = 1
            THEN a.credits_posted + a.overdraft_limit - a.debits_posted - a.debits_pending END
            ORDER BY n),
        array_agg(CASE WHEN a.flags & 2 = 2
            THEN a.debits_posted - a.credits_posted - a.credits_pending END ORDER BY n)
    INTO v.accounts, v_debit_room, v_credit_room
    FROM (SELECT x.*, row_number() OVER () AS n FROM unnest(p_accounts) AS x) a;
    FOR r IN
        WITH accounts AS (
            SELECT x.id, x.status, x.currency, row_number() OVER ()::integer AS n
            FROM unnest(p_accounts) AS x
        )
        SELECT i.n, i.first, i.id, i.amount, d.n AS debit, c.n AS credit, CASE
            WHEN t.id IS NOT NULL THEN CASE WHEN
                (t.debit_account, t.credit_account, t.amount, t.currency, t.kind, t.booking_date,
                    t.value_date, t.remittance, t.counterparty_name, t.counterparty_iban,
                    t.end_to_end_id, t.category_hint)
                = (i.debit, i.credit, i.amount, i.currency, 0, coalesce(i.booking, t.booking_date),
                    coalesce(i.value, i.booking, t.value_date), i.remittance, i.name, i.iban,
                    i.end_to_end, i.category)
                THEN 'exists' ELSE 'exists_with_different' END
            WHEN i.first < i.n THEN 'repeated'
            WHEN i.debit = i.credit THEN 'same_account'
            WHEN d.id IS NULL OR c.id IS NULL THEN 'account_unknown'
            WHEN i.amount IS NULL OR i.amount <= 0 OR i.amount > 1000000000000000
                THEN 'amount_refused'
            WHEN i.remittance IS NULL OR i.name IS NULL OR i.iban IS NULL OR i.end_to_end IS NULL
                OR i.category IS NULL OR length(i.remittance) > 140 OR length(i.name) > 70
                OR length(i.end_to_end) > 35 OR i.remittance ~ '[\x01-\x1f\x7f]'
                OR i.name ~ '[\x01-\x1f\x7f]' THEN 'text_refused'
            WHEN d.status = 'closed' OR c.status = 'closed' THEN 'account_closed'
            WHEN d.status = 'blocked' THEN 'account_blocked'
            WHEN i.currency IS DISTINCT FROM d.currency OR i.currency <> c.currency
                THEN 'currency_mismatch'
            END AS status
        FROM (
            SELECT u.*, min(u.n) OVER (PARTITION BY u.id) AS first FROM (
                SELECT x.*, row_number() OVER ()::integer AS n FROM unnest(p_items) AS x) u
        ) i
        LEFT JOIN unnest(p_known) AS t ON t.id = i.id
        LEFT JOIN accounts d ON d.id = i.debit
        LEFT JOIN accounts c ON c.id = i.credit
        ORDER BY i.n
    LOOP
        IF r.status = 'repeated' THEN
            v_statuses[r.n] := CASE WHEN v_statuses[r.first] <> 'posted' THEN 'repeated_in_batch'
                WHEN p_items[r.n] IS NOT DISTINCT FROM p_items[r.first] THEN 'exists'
                ELSE 'exists_with_different' END;
        ELSIF r.status IS NOT NULL THEN
            v_statuses[r.n] := r.status;
        ELSIF v_debit_room[r.debit] < r.amount THEN
            v_statuses[r.n] := 'insufficient_funds';
        ELSIF v_credit_room[r.credit] < r.amount THEN
            v_statuses[r.n] := 'credit_refused';
        ELSE
            v_statuses[r.n] := 'posted';
            v_posted := v_posted || r.id;
            v_debits[r.debit] := v_debits[r.debit] + r.amount;
            v_credits[r.credit] := v_credits[r.credit] + r.amount;
            v_debit_room[r.debit] := v_debit_room[r.debit] - r.amount;
            v_debit_room[r.credit] := v_debit_room[r.credit] + r.amount;
            v_credit_room[r.credit] := v_credit_room[r.credit] - r.amount;
            v_credit_room[r.debit] := v_credit_room[r.debit] + r.amount;
        END IF;
    END LOOP;
    v.statuses := v_statuses;
    v.posted := v_posted;
    v.debits := v_debits;
    v.credits := v_credits;
    RETURN v;
END $$;
REVOKE ALL ON FUNCTION ledger_judge(ledger_item[], ledger_account[], ledger_transfer[])
    FROM PUBLIC;

CREATE FUNCTION ledger_post_batch(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], posted integer, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_items ledger_item[];
    v_ids uuid[];
    v_touched uuid[];
    v_accounts ledger_account[];
    v_known ledger_transfer[];
    v ledger_judgement;
    v_written integer;
    v_day date;
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; posted := 0; RETURN NEXT; RETURN;
    END IF;
    SELECT array_agg(x::ledger_item ORDER BY l.n), array_agg(x.id ORDER BY l.n),
        array_agg(x.debit) || array_agg(x.credit)
    INTO v_items, v_ids, v_touched
    FROM unnest(p_lines) WITH ORDINALITY AS l (line, n)
    CROSS JOIN LATERAL json_populate_record(NULL::ledger_item, l.line::json) AS x;
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    SELECT coalesce(array_agg(locked::ledger_account), '{}') INTO v_accounts FROM (
        SELECT a.* FROM ledger_account a WHERE a.id = ANY (v_touched)
        ORDER BY a.id FOR NO KEY UPDATE) locked;
    SELECT coalesce(array_agg(t), '{}') INTO v_known FROM ledger_transfer t
    WHERE t.id = ANY (v_ids);
    v := ledger_judge(v_items, v_accounts, v_known);
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
        FROM unnest(v_items, v.statuses) WITH ORDINALITY AS i (id, debit, credit, amount,
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
    PERFORM gc_state_execution(p_token, 'posted', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION ledger_post_batch(uuid, uuid, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_post_batch(uuid, uuid, text[]) TO frontline_app;
"""

UNDO = """
DROP FUNCTION ledger_post_batch(uuid, uuid, text[]);
DROP FUNCTION ledger_judge(ledger_item[], ledger_account[], ledger_transfer[]);
DROP TYPE ledger_judgement;
DROP TYPE ledger_item;
DROP FUNCTION gc_take_batch(uuid, text[]);
DROP FUNCTION gc_items_root(text[]);
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0002_posting")]
    operations = [migrations.RunSQL(ROOT + LEDGER, UNDO)]
