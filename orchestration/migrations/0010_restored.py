"""After a restore: an effect elsewhere that had no permit yet is held until a person looked."""

from django.db import migrations

RESTORED = r"""
-- For the owner, once, right after a backup was put back. What the backup holds as wanted and not
-- yet permitted may have been carried out in what was lost, under a permit nobody knows any more:
-- it waits for a person, who looks at the other system's books.
ALTER TABLE orch_effect ADD COLUMN held_at timestamptz;
CREATE FUNCTION orch_after_restore() RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    e text;
    _found integer;
    _all integer := 0;
BEGIN
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        -- Whoever worked on one of them is gone, and must not write what came of it.
        UPDATE orch_effect SET lease_until = NULL, fence = fence + 1 WHERE state = 'wanted';
        UPDATE orch_effect SET held_at = clock_timestamp(), due_at = 'infinity'
        WHERE state = 'wanted' AND token IS NULL;
        GET DIAGNOSTICS _found = ROW_COUNT;
        _all := _all + _found;
    END LOOP;
    PERFORM set_config('frontline.entity', '', true);
    RETURN _all;
END $$;
REVOKE ALL ON FUNCTION orch_after_restore() FROM PUBLIC;
"""
UNDO = """
DROP FUNCTION orch_after_restore();
ALTER TABLE orch_effect DROP COLUMN held_at;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0009_live_index")]
    operations = [migrations.RunSQL(RESTORED, UNDO)]
