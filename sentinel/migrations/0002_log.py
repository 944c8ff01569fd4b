"""The evidence log: append-only records, and a Merkle tree that only a fenced sequencer grows.

There is no third role for the sequencer. The application may call three owner-only functions
and read; it cannot write a record's time, a leaf, the tree or a checkpoint itself. What the
functions cannot check (that a root is the root of the leaves) the signature, the witness and
every verifier check.
"""

from django.db import migrations

RECORDS = r"""
CREATE TABLE sentinel_record (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    decision_id uuid,
    case_id uuid,
    body bytea NOT NULL CHECK (octet_length(body) <= 1048576),
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    recorded_at timestamptz NOT NULL
);
CREATE INDEX sentinel_record_decision ON sentinel_record (decision_id)
    WHERE decision_id IS NOT NULL;
CREATE INDEX sentinel_record_case ON sentinel_record (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX sentinel_record_key ON sentinel_record (entity) WHERE kind = 'key';
CREATE UNIQUE INDEX sentinel_record_genesis ON sentinel_record (entity) WHERE kind = 'genesis';

CREATE TABLE sentinel_pending (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    seq bigint GENERATED ALWAYS AS IDENTITY,
    record_id uuid NOT NULL,
    leaf bytea NOT NULL,
    PRIMARY KEY (entity, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

SELECT frontline_protect('sentinel_pending', 'read_only');

-- The columns are read out of the body and the clock is the database's, so that a record
-- cannot contradict its own columns and nobody can date it back.
CREATE FUNCTION sentinel_append(_body bytea) RETURNS uuid
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
    INSERT INTO sentinel_record (id, entity, kind, decision_id, case_id, body, leaf, recorded_at)
    VALUES (_id, _entity, content ->> 'kind', (content ->> 'decision_id')::uuid,
        (content ->> 'case_id')::uuid, _body, _leaf, _at);
    INSERT INTO sentinel_pending (entity, record_id, leaf) VALUES (_entity, _id, _leaf);
    RETURN _id;
END $$;
"""

TREE = r"""
CREATE TABLE sentinel_leaf (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    idx bigint NOT NULL CHECK (idx >= 0),
    record_id uuid NOT NULL UNIQUE,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    PRIMARY KEY (entity, idx)
);

-- `numbered` runs ahead of `size` only inside the sequencer's transaction.
CREATE TABLE sentinel_tree (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    size bigint NOT NULL DEFAULT 0,
    numbered bigint NOT NULL DEFAULT 0,
    frontier bytea[] NOT NULL DEFAULT '{}'
);

-- Complete subtrees of 256^level leaves, so that a proof reads hundreds of rows, not all.
CREATE TABLE sentinel_node (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    level smallint NOT NULL CHECK (level > 0),
    idx bigint NOT NULL CHECK (idx >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (entity, level, idx)
);

CREATE TABLE sentinel_checkpoint (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    frontier bytea[] NOT NULL,
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, size)
);

CREATE TABLE sentinel_cosignature (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    size bigint NOT NULL,
    witness text COLLATE "C" NOT NULL,
    line text NOT NULL,
    cosigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, size, witness),
    FOREIGN KEY (entity, size) REFERENCES sentinel_checkpoint (entity, size)
);

-- First the triggers of append-only tables, then the narrower grants: only functions insert.
SELECT frontline_protect('sentinel_leaf', 'append_only');
SELECT frontline_protect('sentinel_node', 'append_only');
SELECT frontline_protect('sentinel_checkpoint', 'append_only');
SELECT frontline_protect('sentinel_record', 'append_only');
SELECT frontline_protect('sentinel_cosignature', 'append_only');
SELECT frontline_protect('sentinel_tree', 'read_only');
-- The owner may look across entities in two tables, so that functions can name the logs there are.
ALTER TABLE sentinel_pending NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sentinel_tree NO FORCE ROW LEVEL SECURITY;
REVOKE INSERT ON sentinel_record, sentinel_leaf, sentinel_node, sentinel_checkpoint
    FROM frontline_app;
"""

SEQUENCING = r"""
CREATE FUNCTION sentinel_pending_entities() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT DISTINCT entity FROM sentinel_pending $$;

CREATE FUNCTION sentinel_log_entities() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT entity FROM sentinel_tree $$;

-- Holds the tree row until the transaction ends, so that one sequencer works at a time.
CREATE FUNCTION sentinel_fence(_vkey text)
RETURNS TABLE (size bigint, frontier bytea[], is_key_known boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO sentinel_tree (entity) VALUES (frontline_entity()) ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT t.size, t.frontier, EXISTS (
            SELECT FROM sentinel_record r
            WHERE r.entity = t.entity AND r.kind = 'key'
            AND convert_from(r.body, 'UTF8')::jsonb #>> '{content,vkey}' = _vkey)
        FROM sentinel_tree t WHERE t.entity = frontline_entity() FOR UPDATE;
END $$;

-- Takes what is committed, whatever its number, and gives it the next indexes. Reading on from
-- the highest number seen would lose every writer that commits late.
CREATE FUNCTION sentinel_drain(_limit integer) RETURNS bytea[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    _entity text := frontline_entity();
    _start bigint;
    _leaves bytea[];
BEGIN
    SELECT numbered INTO STRICT _start FROM sentinel_tree WHERE entity = _entity FOR UPDATE;
    WITH taken AS (
        DELETE FROM sentinel_pending p
        WHERE p.entity = _entity AND p.seq IN (
            SELECT q.seq FROM sentinel_pending q WHERE q.entity = _entity
            ORDER BY q.seq LIMIT _limit)
        RETURNING p.seq, p.record_id, p.leaf
    ), placed AS (
        INSERT INTO sentinel_leaf (entity, idx, record_id, leaf)
        SELECT _entity, _start + row_number() OVER (ORDER BY seq) - 1, record_id, leaf FROM taken
        RETURNING sentinel_leaf.idx, sentinel_leaf.leaf
    )
    SELECT coalesce(array_agg(leaf ORDER BY idx), '{}') INTO _leaves FROM placed;
    UPDATE sentinel_tree SET numbered = _start + cardinality(_leaves) WHERE entity = _entity;
    RETURN _leaves;
END $$;

CREATE FUNCTION sentinel_seal(_root bytea, _frontier bytea[], _note text,
    _levels smallint[], _indexes bigint[], _hashes bytea[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    _entity text := frontline_entity();
    _before bigint;
    _size bigint;
BEGIN
    SELECT size, numbered INTO STRICT _before, _size
        FROM sentinel_tree WHERE entity = _entity FOR UPDATE;
    IF _size <= _before OR _size - _before <> (
            SELECT count(*) FROM sentinel_leaf WHERE entity = _entity AND idx >= _before)
        OR bit_count(_size::bit(64)) <> cardinality(_frontier)
        OR NOT starts_with(_note, format(E'frontline.example/log/%s\n%s\n%s\n\n', _entity, _size,
            encode(_root, 'base64')))
    THEN
        RAISE EXCEPTION 'checkpoint does not follow from the tree' USING ERRCODE = 'FL003';
    END IF;
    UPDATE sentinel_tree SET size = _size, frontier = _frontier WHERE entity = _entity;
    INSERT INTO sentinel_checkpoint (entity, size, root, frontier, note)
        VALUES (_entity, _size, _root, _frontier, _note);
    INSERT INTO sentinel_node (entity, level, idx, hash)
        SELECT _entity, * FROM unnest(_levels, _indexes, _hashes);
    RETURN _size;
END $$;

-- Numbered leaves without a checkpoint must not be committed.
CREATE FUNCTION sentinel_require_seal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM sentinel_tree WHERE entity = NEW.entity AND numbered <> size) THEN
        RAISE EXCEPTION 'numbered leaves have no checkpoint' USING ERRCODE = 'FL003';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER sealed AFTER UPDATE ON sentinel_tree
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sentinel_require_seal();

REVOKE ALL ON FUNCTION sentinel_require_seal(), sentinel_append(bytea),
    sentinel_pending_entities(), sentinel_log_entities(), sentinel_fence(text),
    sentinel_drain(integer),
    sentinel_seal(bytea, bytea[], text, smallint[], bigint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_append(bytea),
    sentinel_pending_entities(), sentinel_log_entities(), sentinel_fence(text),
    sentinel_drain(integer),
    sentinel_seal(bytea, bytea[], text, smallint[], bigint[], bytea[]) TO frontline_app;
"""

UNDO = """
DROP TABLE sentinel_cosignature, sentinel_checkpoint, sentinel_node, sentinel_tree, sentinel_leaf,
    sentinel_pending, sentinel_record;
DROP FUNCTION sentinel_require_seal(), sentinel_append(bytea),
    sentinel_pending_entities(), sentinel_log_entities(), sentinel_fence(text),
    sentinel_drain(integer),
    sentinel_seal(bytea, bytea[], text, smallint[], bigint[], bytea[]);
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0001_initial")]
    operations = [migrations.RunSQL(RECORDS + TREE + SEQUENCING, UNDO)]
