"""After a restore: what was on its way to a system outside is asked about, never sent blindly."""

from django.db import migrations

RESTORED = r"""
-- For the owner, once, right after a backup was put back. A call the backup holds as not yet sent
-- may have been sent in what was lost, under this very token: the other system is asked first, and
-- "not found" means "not done" only when nothing sent before can arrive any more.
CREATE FUNCTION gc_after_restore() RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    e text;
    _found integer;
    _all integer := 0;
BEGIN
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        INSERT INTO gc_outside_line (token, fence, what)
        SELECT token, fence + 1, 'restored' FROM gc_outside WHERE ended_at IS NULL;
        UPDATE gc_outside SET state = 'unknown', fence = fence + 1, lease_until = NULL,
            due_at = clock_timestamp(), sends = greatest(sends, 1),
            valid_until = greatest(valid_until, clock_timestamp())
        WHERE ended_at IS NULL;
        GET DIAGNOSTICS _found = ROW_COUNT;
        _all := _all + _found;
    END LOOP;
    PERFORM set_config('frontline.entity', '', true);
    RETURN _all;
END $$;
REVOKE ALL ON FUNCTION gc_after_restore() FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0010_batch_lean")]
    operations = [migrations.RunSQL(RESTORED, "DROP FUNCTION gc_after_restore();")]
