"""Cosignatures are written by the owner and have their form; caps bind who delegates a role."""

from importlib import import_module

from django.db import migrations

COSIGNING = r"""
REVOKE INSERT ON sentinel_cosignature FROM frontline_app;
-- A line that is none of the witness's own does not take the place of the one that is.
ALTER TABLE sentinel_cosignature DROP CONSTRAINT sentinel_cosignature_pkey,
    ADD PRIMARY KEY (entity, size, witness, line);
-- The one line of a witness to a checkpoint that was made: its key's id, the time, a signature.
CREATE FUNCTION sentinel_cosign(_size bigint, _witness text, _line text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF (_line ~ E'^\u2014 [^ \n]+ [A-Za-z0-9+/]{102}==\n$'
            AND split_part(_line, ' ', 2) = _witness) IS NOT TRUE
        OR NOT EXISTS (SELECT FROM sentinel_checkpoint c
            WHERE c.entity = frontline_entity() AND c.size = _size) THEN
        RAISE EXCEPTION 'not a cosignature of a checkpoint' USING ERRCODE = 'FL018';
    END IF;
    INSERT INTO sentinel_cosignature (size, witness, line) VALUES (_size, _witness, _line)
    ON CONFLICT DO NOTHING;
END $$;
REVOKE ALL ON FUNCTION sentinel_cosign(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_cosign(bigint, text, text) TO frontline_app;
"""

_PROBLEM_BEFORE = (
    "CREATE OR REPLACE FUNCTION sentinel_authority_problem"
    + import_module("sentinel.migrations.0010_mandates")
    .PROBLEMS.partition("CREATE FUNCTION sentinel_authority_problem")[2]
    .partition("REVOKE ALL")[0]
)
_HELD = """            IF (_asked ->> 'role' = ANY (_roles)) IS NOT TRUE THEN
                RETURN 'authority_not_held';
            END IF;
"""
# Whoever is bound by mandates of their own hands on no more than one of them that stands allows.
_CAPPED = """            IF EXISTS (SELECT FROM unnest(_kinds) k, unnest(ARRAY['act', 'approve']) w
                WHERE _asked ->> 'powers' IN (w, 'both') AND (
                    SELECT NOT bool_or(sentinel_authority_stands(m.id, clock_timestamp())
                        AND (m.cap_minor IS NULL OR (_cap <= m.cap_minor
                            AND m.currency = _asked #>> '{cap,currency}') IS TRUE))
                    FROM sentinel_authority m
                    WHERE m.kind = 'mandate' AND m.holder = _by AND m.on_behalf_of = ''
                        AND m.powers IN (w, 'both') AND m.kinds && ARRAY[k, '*'])) THEN
                RETURN 'authority_wider cap';
            END IF;
"""
assert _PROBLEM_BEFORE.count(_HELD) == 1, "the function it stands in was written anew"
PROBLEM = _PROBLEM_BEFORE.replace(_HELD, _HELD + _CAPPED)

UNDO = """
DROP FUNCTION sentinel_cosign(bigint, text, text);
ALTER TABLE sentinel_cosignature DROP CONSTRAINT sentinel_cosignature_pkey,
    ADD PRIMARY KEY (entity, size, witness);
GRANT INSERT ON sentinel_cosignature TO frontline_app;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0025_powers")]
    operations = [migrations.RunSQL(COSIGNING + PROBLEM, _PROBLEM_BEFORE + UNDO)]
