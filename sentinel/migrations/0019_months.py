"""The records of the log in monthly partitions, by the time their identifiers begin with.

Identifiers of version 7 make a month a range of the primary key, so that one identifier stays
unique across all months and a look-up by it reads one partition. The genesis of a legal entity,
which was unique by an index that no partitioned table can have, is a row of its own.
A log that stands already is copied here, in one statement: allow for its size.
"""

from django.db import migrations

TABLES = r"""
ALTER TABLE sentinel_record NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sentinel_record RENAME TO sentinel_record_before;
ALTER TABLE sentinel_record_before RENAME CONSTRAINT sentinel_record_pkey TO sentinel_record_was;
DROP INDEX sentinel_record_decision, sentinel_record_case, sentinel_record_key,
    sentinel_record_genesis, sentinel_record_erasure;

CREATE TABLE sentinel_record (LIKE sentinel_record_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE INDEX sentinel_record_decision ON sentinel_record (decision_id)
    WHERE decision_id IS NOT NULL;
CREATE INDEX sentinel_record_case ON sentinel_record (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX sentinel_record_key ON sentinel_record (entity) WHERE kind = 'key';
CREATE INDEX sentinel_record_genesis ON sentinel_record (entity) WHERE kind = 'genesis';
CREATE INDEX sentinel_record_erasure ON sentinel_record (entity) WHERE kind = 'erasure';
CREATE TABLE sentinel_record_other PARTITION OF sentinel_record DEFAULT
    WITH (toast_tuple_target = 8160);

CREATE TABLE sentinel_genesis (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    record_id uuid NOT NULL
);
"""

MONTHS = r"""
-- The smallest identifier of version 7 that could have been made at a moment.
CREATE FUNCTION sentinel_first_id(_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE
AS $$ SELECT rpad(lpad(to_hex((extract(epoch FROM _at) * 1000)::bigint), 12, '0'), 32, '0')::uuid $$;

-- A partition is reached through the whole only; whoever owns it is fenced in it, too.
CREATE FUNCTION sentinel_fence_month(_part regclass) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', _part);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', _part);
    EXECUTE format('CREATE POLICY entity_isolation ON %s USING (entity = frontline_entity())'
        ' WITH CHECK (entity = frontline_entity())', _part);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, frontline_app', _part);
    EXECUTE format('CREATE TRIGGER append_only_table BEFORE TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION frontline_append_only()', _part);
END $$;

-- Records of the month that came before it was opened move into it unchanged.
CREATE FUNCTION sentinel_open_month(_month date) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    _start timestamp := date_trunc('month', _month::timestamp);
    _name text := 'sentinel_record_' || to_char(_start, 'YYYY_MM');
    _from uuid := sentinel_first_id(_start AT TIME ZONE 'UTC');
    _to uuid := sentinel_first_id((_start + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('sentinel_record months', 0));
    IF to_regclass(_name) IS NOT NULL THEN RETURN NULL; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE sentinel_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
        ' INCLUDING INDEXES) WITH (toast_tuple_target = 8160)', _name);
    LOCK TABLE sentinel_record_other IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE sentinel_record_other NO FORCE ROW LEVEL SECURITY;
    IF EXISTS (SELECT FROM sentinel_record_other WHERE id >= _from AND id < _to) THEN
        ALTER TABLE sentinel_record_other DISABLE TRIGGER append_only_rows;
        EXECUTE format('WITH moved AS (DELETE FROM sentinel_record_other'
            ' WHERE id >= %L AND id < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
            _from, _to, _name);
        ALTER TABLE sentinel_record_other ENABLE TRIGGER append_only_rows;
    END IF;
    ALTER TABLE sentinel_record_other FORCE ROW LEVEL SECURITY;
    EXECUTE format('ALTER TABLE sentinel_record ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        _name, _from, _to);
    PERFORM sentinel_fence_month(_name::regclass);
    RETURN _name;
END $$;

-- The months the clock of the database asks for: what the application may have opened.
CREATE FUNCTION sentinel_open_months(_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF _ahead NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'months ahead: 0 to 24' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN (SELECT count(sentinel_open_month(
        ((clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => n))::date))
        FROM generate_series(0, _ahead) n);
END $$;
"""

APPEND = r"""
-- As before, and the genesis of a legal entity is written once.
CREATE OR REPLACE FUNCTION sentinel_append(_body bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    content jsonb := convert_from(_body, 'UTF8')::jsonb;
    _entity text := frontline_entity();
    _id uuid := (content ->> 'id')::uuid;
    _at timestamptz := clock_timestamp();
    _leaf bytea := sha256('\000frontline/record/v1\000'::bytea
        || int8send((extract(epoch FROM _at) * 1000000)::bigint) || _body);
BEGIN
    IF (content ->> 'entity') IS DISTINCT FROM _entity THEN
        RAISE EXCEPTION 'record belongs to another legal entity' USING ERRCODE = 'FL002';
    END IF;
    IF (content ->> 'kind') = 'genesis' THEN
        INSERT INTO sentinel_genesis (entity, record_id) VALUES (_entity, _id);
    END IF;
    WITH written AS (
        INSERT INTO sentinel_record
            (id, entity, kind, decision_id, case_id, body, leaf, recorded_at)
        VALUES (_id, _entity, content ->> 'kind', (content ->> 'decision_id')::uuid,
            (content ->> 'case_id')::uuid, _body, _leaf, _at)
    )
    INSERT INTO sentinel_pending (entity, record_id, leaf) VALUES (_entity, _id, _leaf);
    RETURN _id;
END $$;
"""

MOVED = r"""
SELECT sentinel_open_months(2);
INSERT INTO sentinel_record SELECT * FROM sentinel_record_before;
INSERT INTO sentinel_genesis (entity, record_id)
    SELECT entity, id FROM sentinel_record_before WHERE kind = 'genesis';
DROP TABLE sentinel_record_before;
SELECT frontline_protect('sentinel_record', 'append_only');
SELECT frontline_protect('sentinel_genesis', 'append_only');
SELECT sentinel_fence_month('sentinel_record_other');
REVOKE INSERT ON sentinel_record, sentinel_genesis FROM frontline_app;
REVOKE ALL ON FUNCTION sentinel_first_id(timestamptz), sentinel_fence_month(regclass),
    sentinel_open_month(date), sentinel_open_months(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_open_months(integer) TO frontline_app;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0018_erasure")]
    operations = [migrations.RunSQL(TABLES + MONTHS + APPEND + MOVED)]
