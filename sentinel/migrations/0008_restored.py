"""After a restore: every permit that was out is revoked, and the log says what happened."""

from django.db import migrations

RESTORED = r"""
-- For the owner, once, right after a backup was put back. Permits given before it may have been
-- spent in what was lost, so each legal entity's epoch moves on and revokes all of them.
CREATE FUNCTION sentinel_after_restore(_backup uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    e text;
    _record uuid;
BEGIN
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        INSERT INTO sentinel_kill_switch (scope, is_stopped, reason, set_by)
        VALUES ('all', coalesce((SELECT k.is_stopped FROM sentinel_kill_switch k
                WHERE k.scope = 'all' ORDER BY k.position DESC LIMIT 1), false),
            'permits from before the restore end', 'system:installation');
        _record := gen_random_uuid();
        -- Canonical JSON: names in order, no spaces.
        PERFORM sentinel_append(convert_to(format(
            '{"case_id":null,"content":{"backup":"%s"},"decision_id":null,"entity":"%s",'
            '"id":"%s","kind":"restored","v":1}', _backup, e, _record), 'UTF8'));
    END LOOP;
    PERFORM set_config('frontline.entity', '', true);
END $$;
REVOKE ALL ON FUNCTION sentinel_after_restore(uuid) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0007_confined")]
    operations = [
        migrations.RunSQL(RESTORED, "DROP FUNCTION sentinel_after_restore(uuid);"),
    ]
