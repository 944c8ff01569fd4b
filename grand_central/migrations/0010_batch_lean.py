"""A batch with less work: two levels of the tree at once, each item read and each account met once.

Nothing is judged otherwise than before. What a line leaves out is empty, as `PostingItem` has it.
"""

from importlib import import_module

from django.db import migrations

ROOT = r"""
-- The RFC 6962 root over lines of text, as hex. A level is one run of 32-byte hashes, of which four
-- become one at a time; the last ones, when fewer, are a smaller tree of the same kind. The runs
-- come in the order of their lines, and in no other would the root be the one that was permitted.
CREATE FUNCTION gc_tree_node(p_pair bytea) RETURNS bytea LANGUAGE sql IMMUTABLE
AS $$ SELECT sha256('\x01'::bytea || p_pair) $$;
REVOKE ALL ON FUNCTION gc_tree_node(bytea) FROM PUBLIC;

CREATE OR REPLACE FUNCTION gc_items_root(p_lines text[])
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
AS $$
DECLARE
    v_level bytea;
BEGIN
    SELECT string_agg(sha256('\x00'::bytea || convert_to(line, 'UTF8')), '')
    INTO v_level FROM unnest(p_lines) AS line;
    WHILE length(v_level) > 32 LOOP
        SELECT string_agg(CASE
            WHEN length(v_level) >= at + 127 THEN gc_tree_node(
                gc_tree_node(substr(v_level, at, 64)) || gc_tree_node(substr(v_level, at + 64, 64)))
            WHEN length(v_level) = at + 95 THEN gc_tree_node(
                gc_tree_node(substr(v_level, at, 64)) || substr(v_level, at + 64))
            WHEN length(v_level) = at + 63 THEN gc_tree_node(substr(v_level, at))
            ELSE substr(v_level, at) END, '')
        INTO v_level FROM generate_series(1, length(v_level), 128) AS at;
    END LOOP;
    RETURN encode(coalesce(v_level, sha256('')), 'hex');
END $$;
"""

BATCH = """
-- Post all items together if each of them can be posted in whatever order they come: known
-- accounts, one currency, and every account could bear its debits before any credit arrives.
-- Otherwise, and if a constraint objects (an id that is taken, a text), nothing has changed and
-- the answer is NULL: then the items must be judged one by one. Not for the application.
CREATE OR REPLACE FUNCTION ledger_post_together(
    p_token uuid, p_batch uuid, p_items ledger_item[])
RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
    v_accounts uuid[];
    v_currencies text[];
    v_debits bigint[];
    v_credits bigint[];
    v_rows tid[];
    v_day date;
    v_position text;
BEGIN
    SELECT b.date INTO STRICT v_day FROM core_business_date b;
    SELECT array_agg(id), array_agg(currency), array_agg(debit), array_agg(credit)
    INTO v_accounts, v_currencies, v_debits, v_credits FROM (
        SELECT side.id, i.currency, sum(side.debit)::bigint AS debit,
            sum(side.credit)::bigint AS credit
        FROM unnest(p_items) AS i CROSS JOIN LATERAL
            (VALUES (i.debit, i.amount, 0), (i.credit, 0, i.amount)) AS side (id, debit, credit)
        GROUP BY side.id, i.currency) AS moved;
    -- A row that is locked stays where it is, so that the writing need not look for it again.
    SELECT array_agg(a.ctid), array_agg(m.debit), array_agg(m.credit)
    INTO v_rows, v_debits, v_credits FROM (
        SELECT a.ctid, a.id, a.status, a.currency, a.flags,
            a.credits_posted + a.overdraft_limit - a.debits_pending - a.debits_posted AS debitable,
            a.debits_posted - a.credits_pending - a.credits_posted AS creditable
        FROM ledger_account a WHERE a.id = ANY (v_accounts)
        ORDER BY a.id FOR NO KEY UPDATE) AS a
    JOIN unnest(v_accounts, v_currencies, v_debits, v_credits)
        AS m (id, currency, debit, credit) ON m.id = a.id
    WHERE a.status = 'open' AND a.currency = m.currency
        AND (a.flags & 1 = 0 OR m.debit <= a.debitable)
        AND (a.flags & 2 = 0 OR m.credit <= a.creditable);
    IF cardinality(v_accounts) IS DISTINCT FROM coalesce(cardinality(v_rows), 0) THEN
        RETURN NULL;
    END IF;
    WITH booked AS (
        INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code,
            kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,
            end_to_end_id, category_hint, token)
        SELECT i.id, i.debit, i.credit, i.amount, i.currency, 0, 0, coalesce(i.booking, v_day),
            coalesce(i.value, i.booking, v_day), i.remittance, i.name, i.iban, i.end_to_end,
            i.category, p_token
        FROM unnest(p_items) AS i
    ), moved AS (
        UPDATE ledger_account a SET version = a.version + 1,
            debits_posted = a.debits_posted + m.debit,
            credits_posted = a.credits_posted + m.credit
        FROM unnest(v_rows, v_debits, v_credits) AS m (at, debit, credit)
        WHERE a.ctid = m.at RETURNING 1
    )
    INSERT INTO gc_outbox (event_id, type, subject, transfers)
    SELECT p_token, 'transfer.posted', 'batch:' || p_batch, array_agg(i.id)
    FROM unnest(p_items) AS i
    HAVING (SELECT count(*) FROM moved) = cardinality(v_rows)
    RETURNING xact::text || ':' || position INTO STRICT v_position;
    RETURN v_position;
EXCEPTION
    WHEN unique_violation OR check_violation OR not_null_violation
        OR numeric_value_out_of_range THEN RETURN NULL;
END $$;
"""

POST_BATCH = """
-- Nobody knows beforehand how long a batch is, so planning for each one's length is time wasted.
CREATE OR REPLACE FUNCTION ledger_post_batch(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], posted integer, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_sparse ledger_item;
    v_items ledger_item[];
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; posted := 0; RETURN NEXT; RETURN;
    END IF;
    -- A text that a line leaves out is empty; one that says null is refused.
    v_sparse := (NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', '', '');
    SELECT array_agg(json_populate_record(v_sparse, l.line::json) ORDER BY l.n)
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


def _as_before() -> str:
    """Return the statements that put the functions back as the earlier migration made them."""
    fast = import_module("grand_central.migrations.0007_fast_path")
    together = fast.BATCH.partition("REVOKE ALL")[0].replace(
        "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
    )
    dropped = "DROP FUNCTION gc_tree_node(bytea);"
    return "".join((fast.ROOT, together, fast.POST_BATCH, dropped))


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0009_batch_at_once")]
    operations = [migrations.RunSQL(ROOT + BATCH + POST_BATCH, _as_before())]
