"""A batch in one statement: the permit is spent, the items are posted, the outcome is on record.

It runs with the caller's rights and calls nothing that the application could not call one by one.
What is refused is undone inside, as if by a savepoint: neither the permit nor money is spent.
"""

from django.db import migrations

AT_ONCE = """
-- `redeemed` is Sentinel's answer, `statuses` holds the ledger's for each item, in their order;
-- without `recorded_at` nothing has changed.
CREATE FUNCTION ledger_batch_at_once(
    p_token uuid, p_kind text, p_audience text, p_params_hash bytea, p_effect_digest bytea,
    p_key text, p_scopes text, p_epoch bigint, p_batch uuid, p_lines text[], p_record uuid,
    OUT redeemed text, OUT statuses text[], OUT feed_position text, OUT words text,
    OUT recorded_at timestamptz
) LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_posted integer;
BEGIN
    redeemed := sentinel_redeem(p_token, p_kind, p_audience, p_params_hash, p_effect_digest,
        p_key, string_to_array(p_scopes, ' '), p_epoch);
    IF redeemed <> 'redeemed' THEN RETURN; END IF;
    SELECT b.statuses, b.posted, b.feed_position INTO statuses, v_posted, feed_position
    FROM ledger_post_batch(p_token, p_batch, p_lines) b;
    IF statuses = ARRAY['no_redemption'] THEN
        RAISE EXCEPTION 'no_redemption' USING ERRCODE = 'FL004';
    END IF;
    words := format('%s of %s transfers have been posted.', v_posted, cardinality(statuses));
    recorded_at := sentinel_record_done(p_token, 'posted', 'batch:' || p_batch, feed_position,
        words, p_record);
    IF recorded_at IS NULL THEN
        RAISE EXCEPTION 'outcome_refused' USING ERRCODE = 'FL004';
    END IF;
EXCEPTION
    -- Also what the steps one by one must tell: another writer of the items, a line that is none.
    WHEN SQLSTATE 'FL004' OR serialization_failure OR data_exception THEN RETURN;
END $$;
REVOKE ALL ON FUNCTION ledger_batch_at_once(uuid, text, text, bytea, bytea, text, text, bigint,
    uuid, text[], uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_batch_at_once(uuid, text, text, bytea, bytea, text, text, bigint,
    uuid, text[], uuid) TO frontline_app;
"""

UNDO = """
DROP FUNCTION ledger_batch_at_once(uuid, text, text, bytea, bytea, text, text, bigint, uuid, text[],
    uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0008_outside")]
    operations = [migrations.RunSQL(AT_ONCE, UNDO)]
