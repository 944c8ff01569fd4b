"""Decision authority: who may decide what, up to what, on whose behalf and until when.

Rows are only ever added, beside a redemption of exactly that change. What a delegation may be is
said here once: for the form that asks, and for the function that writes.
"""

from importlib import import_module

from django.db import migrations

TABLES = """
-- A row is named by the permit it was written under. Nothing is changed in it: what replaces it is
-- another row, and that it ended is one in sentinel_authority_end.
CREATE TABLE sentinel_authority (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('role', 'mandate', 'delegation')),
    holder text COLLATE "C" NOT NULL,
    holder_person text NOT NULL,
    role text COLLATE "C" NOT NULL,
    powers text COLLATE "C" NOT NULL CHECK (powers IN ('act', 'approve', 'both')),
    kinds text[] NOT NULL CHECK (cardinality(kinds) > 0),
    cap_minor bigint CHECK (cap_minor >= 0),
    currency text COLLATE "C",
    on_behalf_of text COLLATE "C" NOT NULL,
    delegator text COLLATE "C" NOT NULL,
    delegator_person text NOT NULL,
    parent uuid REFERENCES sentinel_authority (id),
    depth integer NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    replaces uuid REFERENCES sentinel_authority (id),
    reason text NOT NULL,
    maker text NOT NULL,
    maker_person text NOT NULL,
    checker_person text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (maker_person <> checker_person),
    CHECK ((cap_minor IS NULL) = (currency IS NULL)),
    CHECK (valid_until IS NULL OR valid_until > valid_from),
    -- A role is held by a person, whose person of record is known; so is what a person delegates.
    CHECK (role = '' OR holder LIKE 'employee:%'),
    CHECK ((holder ~ '^(employee|customer):') = (holder_person <> '')),
    CHECK (kind <> 'role' OR role <> ''),
    CHECK (kind <> 'mandate' OR role = ''),
    CHECK (kind = 'delegation' OR (delegator = '' AND delegator_person = '' AND parent IS NULL
        AND depth = 0)),
    CHECK (kind <> 'delegation' OR (depth BETWEEN 1 AND 2 AND valid_until IS NOT NULL
        AND NOT '*' = ANY (kinds) AND delegator <> '' AND delegator_person <> ''
        AND delegator <> holder AND delegator_person <> holder_person
        AND holder NOT LIKE 'role:%' AND (parent IS NOT NULL OR role <> ''))),
    CHECK (kind <> 'delegation' OR maker = delegator)
);
CREATE INDEX sentinel_authority_holder ON sentinel_authority (entity, holder);
CREATE INDEX sentinel_authority_person ON sentinel_authority (entity, holder_person)
    WHERE holder_person <> '';
CREATE INDEX sentinel_authority_parent ON sentinel_authority (parent) WHERE parent IS NOT NULL;
CREATE TABLE sentinel_authority_end (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    authority uuid PRIMARY KEY REFERENCES sentinel_authority (id),
    decision_id uuid NOT NULL,
    reason text NOT NULL,
    maker_person text NOT NULL,
    checker_person text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (maker_person <> checker_person)
);
-- Two things that nobody may hold at once: 'role:x', 'act:kind' or 'approve:kind'. The latest row
-- of a pair says whether they are kept apart.
CREATE TABLE sentinel_separation (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    first text COLLATE "C" NOT NULL,
    second text COLLATE "C" NOT NULL,
    is_apart boolean NOT NULL,
    reason text NOT NULL,
    maker_person text NOT NULL,
    checker_person text NOT NULL,
    is_genesis boolean NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, position),
    CHECK (first < second),
    CHECK (is_genesis OR maker_person <> checker_person)
);
SELECT frontline_protect(t::regclass, 'append_only') FROM unnest(ARRAY[
    'sentinel_authority', 'sentinel_authority_end', 'sentinel_separation']) AS t;
REVOKE INSERT ON sentinel_authority, sentinel_authority_end, sentinel_separation
    FROM frontline_app;
"""

STANDING = """
-- Whether an authority and everything it was delegated from stand at a moment. What ended has
-- ended, whichever moment is asked about, and no clock that is behind makes it last longer.
CREATE FUNCTION sentinel_authority_stands(_id uuid, _at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE line AS (
        SELECT a.id, a.parent, a.valid_from, a.valid_until FROM sentinel_authority a
        WHERE a.id = _id
        UNION ALL
        SELECT a.id, a.parent, a.valid_from, a.valid_until
        FROM line l JOIN sentinel_authority a ON a.id = l.parent
    )
    SELECT coalesce(bool_and(l.valid_from <= _at
        AND (l.valid_until IS NULL OR l.valid_until > greatest(_at, clock_timestamp()))
        AND NOT EXISTS (SELECT FROM sentinel_authority_end e WHERE e.authority = l.id)), false)
    FROM line l
$$;

-- Everything that speaks of these holders and this kind of action, with whether it stands; of a
-- role that is held by authority, what is said of the role as well. Nothing where nobody spoke.
CREATE FUNCTION sentinel_authorities(_holders text[], _kind text, _at timestamptz) RETURNS json
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(_holders) asked
      WHERE EXISTS (SELECT FROM sentinel_authority a WHERE a.holder = asked)) THEN
    RETURN NULL;
  END IF;
  RETURN (
    WITH held AS (
      SELECT a.* FROM unnest(_holders) asked JOIN sentinel_authority a ON a.holder = asked
      WHERE a.kinds && ARRAY[_kind, '*']
    ), spoken AS (
      SELECT * FROM held
      UNION
      SELECT a.* FROM held JOIN sentinel_authority a ON a.holder = 'role:' || held.role
      WHERE held.role <> '' AND a.kinds && ARRAY[_kind, '*']
    )
    SELECT json_agg(json_build_object('id', s.id, 'kind', s.kind, 'holder', s.holder,
      'person', s.holder_person, 'role', s.role, 'powers', s.powers, 'cap', s.cap_minor,
      'currency', s.currency, 'behalf', s.on_behalf_of,
      'stands', sentinel_authority_stands(s.id, _at)) ORDER BY s.position) FROM spoken s);
END $$;
REVOKE ALL ON FUNCTION sentinel_authority_stands(uuid, timestamptz),
    sentinel_authorities(text[], text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_authority_stands(uuid, timestamptz),
    sentinel_authorities(text[], text, timestamptz) TO frontline_app;
"""

PROBLEMS = """
-- What somebody holds by one authority, as the pairs kept apart name it.
CREATE FUNCTION sentinel_sides(_role text, _powers text, _kinds text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT ARRAY(SELECT 'role:' || _role WHERE _role <> ''
        UNION ALL SELECT p || ':' || k FROM unnest(_kinds) k, unnest(ARRAY['act', 'approve']) p
        WHERE _powers IN (p, 'both'))
$$;

-- Whether somebody who holds these things holds this one.
CREATE FUNCTION sentinel_holds(_sides text[], _side text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT _side = ANY (_sides) OR (_side NOT LIKE 'role:%'
        AND split_part(_side, ':', 1) || ':*' = ANY (_sides))
$$;

-- The pair kept apart that a person would hold with something new beside all they have, or nothing.
CREATE FUNCTION sentinel_toxic(_person text, _roles text[], _new text[], _without uuid)
RETURNS text LANGUAGE sql STABLE
AS $$
    WITH had AS (
        SELECT ARRAY(SELECT 'role:' || r FROM unnest(_roles) r UNION ALL SELECT unnest(
            sentinel_sides(a.role, a.powers, a.kinds)) FROM sentinel_authority a
            WHERE a.holder_person = _person AND a.id IS DISTINCT FROM _without
            AND NOT EXISTS (SELECT FROM sentinel_authority_end e WHERE e.authority = a.id)
            AND (a.valid_until IS NULL OR a.valid_until > clock_timestamp())) || _new AS sides
    ), apart AS (
        SELECT DISTINCT ON (s.first, s.second) s.first, s.second, s.is_apart
        FROM sentinel_separation s ORDER BY s.first, s.second, s.position DESC
    )
    SELECT apart.first || ' ' || apart.second FROM apart, had
    WHERE _person <> '' AND apart.is_apart
        AND (sentinel_holds(_new, apart.first) OR sentinel_holds(_new, apart.second))
        AND sentinel_holds(had.sides, apart.first) AND sentinel_holds(had.sides, apart.second)
    ORDER BY 1 LIMIT 1
$$;

-- Why an authority cannot be written as it is asked for by somebody with these roles of record,
-- as a code and its detail after a space; nothing if it can.
CREATE FUNCTION sentinel_authority_problem(_asked jsonb, _by text, _person text, _roles text[])
RETURNS text LANGUAGE plpgsql STABLE
AS $$
DECLARE
    p sentinel_authority%ROWTYPE;
    _kinds text[] := ARRAY(SELECT jsonb_array_elements_text(_asked -> 'kinds'));
    _until timestamptz := (_asked ->> 'valid_until')::timestamptz;
    _cap bigint := (_asked #>> '{cap,minor_units}')::bigint;
    _replaced uuid := (_asked ->> 'replaces')::uuid;
    _toxic text;
BEGIN
    IF _until <= clock_timestamp() OR _until <= (_asked ->> 'valid_from')::timestamptz THEN
        RETURN 'authority_over';
    END IF;
    IF _replaced IS NOT NULL AND NOT EXISTS (SELECT FROM sentinel_authority a
            WHERE a.id = _replaced AND a.holder = _asked ->> 'holder'
            AND a.kind = _asked ->> 'kind'
            AND NOT EXISTS (SELECT FROM sentinel_authority_end e WHERE e.authority = a.id)) THEN
        RETURN 'authority_ended';
    END IF;
    IF _asked ->> 'holder' ~ '^(agent|system):' AND EXISTS (SELECT FROM unnest(_kinds) k
            WHERE k = '*' OR sentinel_is_human_only(k)) THEN
        RETURN 'authority_human_only';
    END IF;
    IF _asked ->> 'kind' = 'delegation' THEN
        IF _by = _asked ->> 'holder' OR _person = _asked ->> 'holder_person' THEN
            RETURN 'authority_own_person';
        END IF;
        IF _asked ->> 'parent' IS NULL THEN
            IF (_asked ->> 'role' = ANY (_roles)) IS NOT TRUE THEN
                RETURN 'authority_not_held';
            END IF;
        ELSE
            SELECT * INTO p FROM sentinel_authority WHERE id = (_asked ->> 'parent')::uuid;
            IF (p.holder = _by AND p.holder_person = _person
                    OR p.holder = ANY (SELECT 'role:' || r FROM unnest(_roles) r)) IS NOT TRUE THEN
                RETURN 'authority_not_held';
            END IF;
            IF NOT sentinel_authority_stands(p.id, clock_timestamp()) THEN
                RETURN 'authority_ended';
            END IF;
            IF p.depth >= 2 THEN RETURN 'authority_too_deep'; END IF;
            IF p.role IS DISTINCT FROM _asked ->> 'role' THEN RETURN 'authority_wider role'; END IF;
            IF (p.powers = 'both' OR p.powers = _asked ->> 'powers') IS NOT TRUE THEN
                RETURN 'authority_wider powers';
            END IF;
            IF NOT (_kinds <@ p.kinds OR '*' = ANY (p.kinds)) THEN
                RETURN 'authority_wider kinds';
            END IF;
            IF p.cap_minor IS NOT NULL AND (_cap IS NULL OR _cap > p.cap_minor
                    OR p.currency <> _asked #>> '{cap,currency}') THEN
                RETURN 'authority_wider cap';
            END IF;
            IF p.valid_until IS NOT NULL AND (_until <= p.valid_until) IS NOT TRUE THEN RETURN 'authority_wider until'; END IF;
        END IF;
    END IF;
    _toxic := sentinel_toxic(_asked ->> 'holder_person',
        ARRAY(SELECT jsonb_array_elements_text(_asked -> 'holder_roles')),
        sentinel_sides(_asked ->> 'role', _asked ->> 'powers', _kinds), _replaced);
    RETURN 'authority_toxic ' || _toxic;
END $$;
REVOKE ALL ON FUNCTION sentinel_sides(text, text, text[]), sentinel_holds(text[], text),
    sentinel_toxic(text, text[], text[], uuid),
    sentinel_authority_problem(jsonb, text, text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_sides(text, text, text[]), sentinel_holds(text[], text),
    sentinel_toxic(text, text[], text[], uuid),
    sentinel_authority_problem(jsonb, text, text, text[]) TO frontline_app;
"""

_PEOPLE = import_module("sentinel.migrations.0009_stopped_rules").PEOPLE
_KEPT = _PEOPLE.partition("REVOKE ALL")[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
KEPT_FOR_PEOPLE = _KEPT.replace(
    "IN (",
    "IN ('authority.delegate', 'authority.grant', 'authority.revoke', 'authority.separate',\n"
    "        ",
)
UNDO = """
DROP FUNCTION sentinel_authority_problem(jsonb, text, text, text[]);
DROP FUNCTION sentinel_toxic(text, text[], text[], uuid);
DROP FUNCTION sentinel_holds(text[], text);
DROP FUNCTION sentinel_sides(text, text, text[]);
DROP FUNCTION sentinel_authorities(text[], text, timestamptz);
DROP FUNCTION sentinel_authority_stands(uuid, timestamptz);
DROP TABLE sentinel_separation, sentinel_authority_end, sentinel_authority;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0009_stopped_rules")]
    operations = [migrations.RunSQL(
            KEPT_FOR_PEOPLE + TABLES + STANDING + PROBLEMS, UNDO + _KEPT
        )]
