"""How authority is written, each change by two people, and looked up when a decision is taken."""

from importlib import import_module

from django.db import migrations

_FIRST = "boolean, timestamptz, text, text, text, text, text, date, "


def _dropped(rest: str) -> str:
    return f"DROP FUNCTION sentinel_gather({_FIRST}{rest});"


def _granted(rest: str) -> str:
    """Return the statements that let the application alone look things up."""
    name = f"sentinel_gather({_FIRST}{rest})"
    return (
        f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC;"
        f"GRANT EXECUTE ON FUNCTION {name} TO frontline_app;"
    )


WRITING = """
-- Who proposed a redeemed change, with the roles the evidence of its permit shows, and who
-- approved it; nothing unless two people did. One change of authority at a time.
CREATE FUNCTION sentinel_take_authority(_token uuid, _kind text, _body text,
    OUT maker_id text, OUT maker text, OUT checker text, OUT roles text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(frontline_entity() || '|authority', 9));
    SELECT * INTO c FROM sentinel_take_change(_token, _kind, 'authority/v1|' || _body);
    IF c.checker IS NULL OR c.maker IS NULL OR c.maker = c.checker THEN RETURN; END IF;
    maker_id := c.principal_id;
    maker := c.maker;
    checker := c.checker;
    roles := ARRAY(SELECT jsonb_array_elements_text(
            convert_from(r.body, 'UTF8')::jsonb #> '{content,chain,0,roles}')
        FROM sentinel_decision d JOIN sentinel_record r ON r.id = d.record_id
        WHERE d.id = _token);
END $$;

CREATE FUNCTION sentinel_write_authority(_token uuid, _kind text, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _asked jsonb := _body::jsonb;
    _problem text;
    _parent uuid := (_asked ->> 'parent')::uuid;
    _is_delegation boolean := _asked ->> 'kind' = 'delegation';
    _replaced uuid := (_asked ->> 'replaces')::uuid;
BEGIN
    SELECT * INTO c FROM sentinel_take_authority(_token, _kind, _body);
    IF c.maker IS NULL OR _is_delegation <> (_kind = 'authority.delegate') THEN
        RETURN 'refused';
    END IF;
    _problem := sentinel_authority_problem(_asked, c.maker_id, c.maker, c.roles);
    IF _problem IS NOT NULL THEN RETURN _problem; END IF;
    INSERT INTO sentinel_authority (id, kind, holder, holder_person, role, powers, kinds,
        cap_minor, currency, on_behalf_of, delegator, delegator_person, parent, depth, valid_from,
        valid_until, replaces, reason, maker, maker_person, checker_person)
    VALUES (_token, _asked ->> 'kind', _asked ->> 'holder', _asked ->> 'holder_person',
        _asked ->> 'role', _asked ->> 'powers',
        ARRAY(SELECT jsonb_array_elements_text(_asked -> 'kinds')),
        (_asked #>> '{cap,minor_units}')::bigint, _asked #>> '{cap,currency}',
        coalesce((SELECT on_behalf_of FROM sentinel_authority WHERE id = _parent),
            _asked ->> 'on_behalf_of', ''),
        CASE WHEN _is_delegation THEN c.maker_id ELSE '' END,
        CASE WHEN _is_delegation THEN c.maker ELSE '' END, _parent,
        CASE WHEN _is_delegation
            THEN 1 + coalesce((SELECT depth FROM sentinel_authority WHERE id = _parent), 0)
            ELSE 0 END,
        coalesce((_asked ->> 'valid_from')::timestamptz, clock_timestamp()),
        (_asked ->> 'valid_until')::timestamptz, _replaced, _asked ->> 'reason',
        c.maker_id, c.maker, c.checker);
    IF _replaced IS NOT NULL THEN
        INSERT INTO sentinel_authority_end (authority, decision_id, reason, maker_person,
            checker_person)
        VALUES (_replaced, _token, _asked ->> 'reason', c.maker, c.checker);
    END IF;
    RETURN 'written';
END $$;

CREATE FUNCTION sentinel_end_authority(_token uuid, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _asked jsonb := _body::jsonb;
    _id uuid := (_asked ->> 'authority')::uuid;
BEGIN
    SELECT * INTO c FROM sentinel_take_authority(_token, 'authority.revoke', _body);
    IF c.maker IS NULL THEN RETURN 'refused'; END IF;
    IF NOT EXISTS (SELECT FROM sentinel_authority WHERE id = _id) THEN
        RETURN 'authority_unknown';
    END IF;
    INSERT INTO sentinel_authority_end (authority, decision_id, reason, maker_person,
        checker_person)
    VALUES (_id, _token, _asked ->> 'reason', c.maker, c.checker) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN 'authority_ended'; END IF;
    RETURN 'written';
END $$;

CREATE FUNCTION sentinel_write_separation(_token uuid, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _asked jsonb := _body::jsonb;
BEGIN
    SELECT * INTO c FROM sentinel_take_authority(_token, 'authority.separate', _body);
    IF c.maker IS NULL THEN RETURN 'refused'; END IF;
    INSERT INTO sentinel_separation (first, second, is_apart, reason, maker_person,
        checker_person, is_genesis)
    VALUES (_asked ->> 'first', _asked ->> 'second', (_asked ->> 'is_apart')::boolean,
        _asked ->> 'reason', c.maker, c.checker, false);
    RETURN 'written';
END $$;

-- The pairs of a genesis: after its record, before the first decision, each once.
CREATE FUNCTION sentinel_write_first_separation(_first text, _second text, _reason text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sentinel_record
            WHERE entity = frontline_entity() AND kind = 'genesis')
        OR EXISTS (SELECT FROM sentinel_decision WHERE entity = frontline_entity())
        OR EXISTS (SELECT FROM sentinel_separation s WHERE s.entity = frontline_entity()
            AND s.first = _first AND s.second = _second) THEN
        RAISE EXCEPTION 'the genesis of this legal entity is over' USING ERRCODE = 'FL006';
    END IF;
    INSERT INTO sentinel_separation (first, second, is_apart, reason, maker_person,
        checker_person, is_genesis)
    VALUES (_first, _second, true, _reason, 'genesis', 'genesis', true);
END $$;
REVOKE ALL ON FUNCTION sentinel_take_authority(uuid, text, text),
    sentinel_write_authority(uuid, text, text), sentinel_end_authority(uuid, text),
    sentinel_write_separation(uuid, text),
    sentinel_write_first_separation(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_write_authority(uuid, text, text),
    sentinel_end_authority(uuid, text), sentinel_write_separation(uuid, text),
    sentinel_write_first_separation(text, text, text) TO frontline_app;
"""

_TAKES = "text, text, uuid, text"
_GATHER_BEFORE = import_module("sentinel.migrations.0009_stopped_rules").GATHER
_CREATED = _GATHER_BEFORE.replace("CREATE OR REPLACE FUNCTION", "CREATE FUNCTION")
_LAST = "ORDER BY p.seq LIMIT 1))\n  )::text"
_AUTHORITIES = """ORDER BY p.seq LIMIT 1)),
    'authorities', sentinel_authorities(string_to_array(_holders, ' '), _kind, _at)
  )::text"""
assert _LAST in _CREATED
GATHER = (
    _dropped(_TAKES)
    + _CREATED.replace("_kind text) RETURNS text", "_kind text, _holders text) RETURNS text")
    .replace(_LAST, _AUTHORITIES)
    + _granted(f"{_TAKES}, text")
)

UNDO = """
DROP FUNCTION sentinel_write_first_separation(text, text, text);
DROP FUNCTION sentinel_write_separation(uuid, text);
DROP FUNCTION sentinel_end_authority(uuid, text);
DROP FUNCTION sentinel_write_authority(uuid, text, text);
DROP FUNCTION sentinel_take_authority(uuid, text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0010_mandates")]
    operations = [
        migrations.RunSQL(
            WRITING + GATHER,
            _dropped(f"{_TAKES}, text") + _CREATED + _granted(_TAKES) + UNDO,
        )
    ]
