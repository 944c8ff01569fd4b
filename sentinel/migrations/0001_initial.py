"""What every layer's tables rest on: legal entities, row-level security, append-only tables."""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION frontline_entity() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('frontline.entity', true), '') $$;

CREATE FUNCTION frontline_append_only() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'FL001';
END $$;

CREATE FUNCTION frontline_protect(tab regclass, mode text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    privileges text := CASE mode
        WHEN 'append_only' THEN 'SELECT, INSERT'
        WHEN 'mutable' THEN 'SELECT, INSERT, UPDATE'
        WHEN 'deletable' THEN 'SELECT, INSERT, UPDATE, DELETE'
        WHEN 'read_only' THEN 'SELECT'
    END;
    owned regclass;
BEGIN
    IF privileges IS NULL THEN
        RAISE EXCEPTION 'frontline_protect: unknown mode %', mode;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('DROP POLICY IF EXISTS entity_isolation ON %s', tab);
    EXECUTE format(
        'CREATE POLICY entity_isolation ON %s'
        ' USING (entity = frontline_entity()) WITH CHECK (entity = frontline_entity())', tab);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, frontline_app', tab);
    EXECUTE format('GRANT %s ON %s TO frontline_app', privileges, tab);
    FOR owned IN
        SELECT objid::regclass FROM pg_depend JOIN pg_class ON pg_class.oid = objid
        WHERE refobjid = tab AND classid = 'pg_class'::regclass AND relkind = 'S'
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO frontline_app', owned);
    END LOOP;
    IF mode = 'append_only' THEN
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON %s'
            ' FOR EACH ROW EXECUTE FUNCTION frontline_append_only()', tab);
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER append_only_table BEFORE TRUNCATE ON %s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION frontline_append_only()', tab);
    END IF;
END $$;
REVOKE ALL ON FUNCTION frontline_protect(regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION frontline_entity() TO frontline_app;
"""

LEGAL_ENTITY = """
CREATE TABLE sentinel_legal_entity (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    name text NOT NULL,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT frontline_protect('sentinel_legal_entity', 'append_only');
-- The owner may look across entities, so that the function below can list them.
ALTER TABLE sentinel_legal_entity NO FORCE ROW LEVEL SECURITY;

CREATE FUNCTION frontline_legal_entities()
RETURNS TABLE (entity text, name text, country text, currency text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT e.entity, e.name, e.country, e.currency FROM sentinel_legal_entity e
    ORDER BY e.registered_at, e.entity $$;
REVOKE ALL ON FUNCTION frontline_legal_entities() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION frontline_legal_entities() TO frontline_app;
"""

UNDO = """
DROP FUNCTION frontline_legal_entities();
DROP TABLE sentinel_legal_entity;
DROP FUNCTION frontline_protect(regclass, text);
DROP FUNCTION frontline_append_only();
DROP FUNCTION frontline_entity();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(FUNCTIONS + LEGAL_ENTITY, UNDO)]
