"""Which purpose sees which class of data, by two people; and what customers say to it."""

from importlib import import_module

from django.db import migrations

TABLES = """
-- The latest row of a purpose and a class is the one that counts.
CREATE TABLE sentinel_data_use (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    purpose text COLLATE "C" NOT NULL,
    data_class text COLLATE "C" NOT NULL,
    ground text COLLATE "C" NOT NULL CHECK (ground IN (
        'consent', 'contract', 'legal_obligation', 'legitimate_interest')),
    is_permitted boolean NOT NULL,
    reason text NOT NULL,
    decision_id uuid NOT NULL,
    maker_person text NOT NULL,
    checker_person text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, position),
    CHECK (maker_person <> checker_person)
);
CREATE TABLE sentinel_consent (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    subject text COLLATE "C" NOT NULL CHECK (subject LIKE 'customer:%'),
    purpose text COLLATE "C" NOT NULL,
    data_class text COLLATE "C" NOT NULL,
    is_given boolean NOT NULL,
    said_by text COLLATE "C" NOT NULL,
    decision_id uuid NOT NULL,
    said_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, position)
);
CREATE INDEX sentinel_consent_subject ON sentinel_consent (subject, entity);
SELECT frontline_protect(t::regclass, 'append_only')
    FROM unnest(ARRAY['sentinel_data_use', 'sentinel_consent']) AS t;
REVOKE INSERT ON sentinel_data_use, sentinel_consent FROM frontline_app;

CREATE FUNCTION sentinel_write_consent(_token uuid, _kind text, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _asked jsonb := _body::jsonb;
BEGIN
    SELECT * INTO c FROM sentinel_take_change(_token, _kind, _kind || '/v1|' || _body);
    IF c.principal_id IS NULL THEN RETURN 'refused'; END IF;
    IF _kind = 'data_use.set' THEN
        IF c.checker IS NULL OR c.maker IS NULL OR c.maker = c.checker THEN
            RETURN 'refused';
        END IF;
        INSERT INTO sentinel_data_use (purpose, data_class, ground, is_permitted, reason,
            decision_id, maker_person, checker_person)
        VALUES (_asked ->> 'purpose', _asked ->> 'data_class', _asked ->> 'ground',
            (_asked ->> 'is_permitted')::boolean, _asked ->> 'reason', _token, c.maker,
            c.checker);
        RETURN 'written';
    END IF;
    IF _kind <> 'consent.set' THEN RETURN 'refused'; END IF;
    INSERT INTO sentinel_consent (subject, purpose, data_class, is_given, said_by, decision_id)
    VALUES ('customer:' || (_asked ->> 'party'), _asked ->> 'purpose', _asked ->> 'data_class',
        (_asked ->> 'is_given')::boolean, c.principal_id, _token);
    RETURN 'written';
END $$;
REVOKE ALL ON FUNCTION sentinel_write_consent(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_write_consent(uuid, text, text) TO frontline_app;
"""

_KEPT = import_module("sentinel.migrations.0020_emergencies").KEPT_FOR_PEOPLE
KEPT_FOR_PEOPLE = _KEPT.replace("IN (", "IN ('consent.set', 'data_use.set', ", 1)
assert KEPT_FOR_PEOPLE != _KEPT
UNDO = """
DROP FUNCTION sentinel_write_consent(uuid, text, text);
DROP TABLE sentinel_consent, sentinel_data_use;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0023_spending")]
    operations = [migrations.RunSQL(TABLES + KEPT_FOR_PEOPLE, UNDO + _KEPT)]
