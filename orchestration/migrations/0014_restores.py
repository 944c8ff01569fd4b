"""When a backup was put back: a flow begun before it may have gone further in what was lost."""

from django.db import migrations

RESTORES = r"""
-- An effect that such a flow asks for later may have been carried out in what was lost, as well as
-- one it had asked for already: it is held when it is wanted.
CREATE TABLE orch_restore (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    restored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, restored_at)
);
SELECT frontline_protect('orch_restore', 'read_only');

CREATE OR REPLACE FUNCTION orch_after_restore() RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    e text;
    _found integer;
    _all integer := 0;
BEGIN
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        INSERT INTO orch_restore (entity) VALUES (e);
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
"""
UNDO = r"""
CREATE OR REPLACE FUNCTION orch_after_restore() RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    e text;
    _found integer;
    _all integer := 0;
BEGIN
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        UPDATE orch_effect SET lease_until = NULL, fence = fence + 1 WHERE state = 'wanted';
        UPDATE orch_effect SET held_at = clock_timestamp(), due_at = 'infinity'
        WHERE state = 'wanted' AND token IS NULL;
        GET DIAGNOSTICS _found = ROW_COUNT;
        _all := _all + _found;
    END LOOP;
    PERFORM set_config('frontline.entity', '', true);
    RETURN _all;
END $$;
DROP TABLE orch_restore;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0013_stream_figures")]
    operations = [migrations.RunSQL(RESTORES, UNDO)]
