"""Statements of systems outside are compared, too; and while the gate is shut nothing is sent."""

from importlib import import_module

from django.db import migrations

_OUTSIDE = import_module("grand_central.migrations.0008_outside").FUNCTIONS
_CLAIM = (
    "CREATE OR REPLACE FUNCTION gc_outside_claim("
    + _OUTSIDE.partition("CREATE FUNCTION gc_outside_claim(")[2].partition("-- Write what came")[0]
)

STATED = r"""
-- The systems that gave no statement when it was compared.
ALTER TABLE gc_reconciliation ADD COLUMN unanswered text[] NOT NULL DEFAULT '{}';

-- Which of these tokens no legal entity redeemed. A system outside serves all of them, and its
-- statement does not say for whom it acted; nothing else of another entity is told.
CREATE FUNCTION gc_redeemed_nowhere(_tokens uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    _own text := frontline_entity();
    e text;
BEGIN
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        _tokens := ARRAY(SELECT t FROM unnest(_tokens) t
            WHERE NOT EXISTS (SELECT FROM sentinel_redemption r WHERE r.token = t));
    END LOOP;
    PERFORM set_config('frontline.entity', _own, true);
    RETURN QUERY SELECT unnest(_tokens);
END $$;
REVOKE ALL ON FUNCTION gc_redeemed_nowhere(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gc_redeemed_nowhere(uuid[]) TO frontline_app;
"""

_ONLY_HOLDER = "    -- Only whoever holds the very parameters that were permitted may send.\n"
CLAIM = _CLAIM.replace(
    _ONLY_HOLDER,
    "    -- Since a restore nothing is sent before the gate is opened again.\n"
    "    IF task = 'send' AND sentinel_is_shut(c.entity, c.action_kind) THEN\n"
    "        UPDATE gc_outside SET due_at = clock_timestamp() + interval '5 seconds'\n"
    "        WHERE token = p_token;\n"
    "        RETURN;\n"
    "    END IF;\n" + _ONLY_HOLDER,
)

UNDO = """
DROP FUNCTION gc_redeemed_nowhere(uuid[]);
ALTER TABLE gc_reconciliation DROP COLUMN unanswered;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("grand_central", "0013_reconciliation"),
        ("sentinel", "0021_gate"),
    ]
    operations = [migrations.RunSQL(STATED + CLAIM, _CLAIM + UNDO)]
