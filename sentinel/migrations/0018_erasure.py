"""Forgetting a person: legal holds, and a key that only two people can have destroyed.

The application makes keys and reads them. It cannot change or delete one; the owner's function
does, beside the redemption of exactly that erasure, and writes the leaf that says so itself.
"""

from importlib import import_module

from django.db import migrations

TABLE = """
CREATE TABLE sentinel_legal_hold (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    hold_id uuid NOT NULL,
    event text COLLATE "C" NOT NULL CHECK (event IN ('placed', 'released')),
    subject text COLLATE "C" NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 500),
    until timestamptz,
    maker text NOT NULL,
    maker_person text NOT NULL,
    checker_person text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, position),
    UNIQUE (entity, hold_id, event),
    CHECK (maker_person <> checker_person),
    CHECK (event = 'placed' OR until IS NULL)
);
CREATE INDEX sentinel_legal_hold_subject ON sentinel_legal_hold (entity, subject);
SELECT frontline_protect('sentinel_legal_hold', 'append_only');
REVOKE INSERT ON sentinel_legal_hold FROM frontline_app;
CREATE INDEX sentinel_record_erasure ON sentinel_record (entity) WHERE kind = 'erasure';
REVOKE UPDATE ON sentinel_subject_key FROM frontline_app;
"""

HELD = """
CREATE FUNCTION sentinel_is_held(_subject text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (SELECT FROM sentinel_legal_hold h
        WHERE h.entity = frontline_entity() AND h.subject = _subject AND h.event = 'placed'
        AND (h.until IS NULL OR h.until > clock_timestamp())
        AND NOT EXISTS (SELECT FROM sentinel_legal_hold r WHERE r.entity = h.entity
            AND r.hold_id = h.hold_id AND r.event = 'released'))
$$;

-- Why a change could not be written, as a code; nothing if it can.
CREATE FUNCTION sentinel_subject_problem(_kind text, _body text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    _asked jsonb := _body::jsonb;
    _subject text := _asked ->> 'subject';
    _hold uuid := (_asked ->> 'hold')::uuid;
    k sentinel_subject_key%ROWTYPE;
BEGIN
    IF _kind = 'release' THEN
        IF NOT EXISTS (SELECT FROM sentinel_legal_hold h WHERE h.entity = frontline_entity()
                AND h.hold_id = _hold AND h.event = 'placed') THEN
            RETURN 'hold_unknown';
        END IF;
        IF EXISTS (SELECT FROM sentinel_legal_hold h WHERE h.entity = frontline_entity()
                AND h.hold_id = _hold
                AND (h.event = 'released' OR h.until <= clock_timestamp())) THEN
            RETURN 'hold_ended';
        END IF;
        RETURN NULL;
    END IF;
    SELECT * INTO k FROM sentinel_subject_key x
        WHERE x.entity = frontline_entity() AND x.subject = _subject;
    IF NOT FOUND THEN RETURN 'subject_unknown'; END IF;
    IF _kind = 'hold' THEN
        IF k.wrapped IS NULL THEN RETURN 'subject_forgotten'; END IF;
        IF (_asked ->> 'until')::timestamptz <= clock_timestamp() THEN RETURN 'hold_over'; END IF;
        RETURN NULL;
    END IF;
    IF k.wrapped IS NULL THEN RETURN 'subject_forgotten_before'; END IF;
    IF sentinel_is_held(_subject) THEN RETURN 'subject_held'; END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION sentinel_is_held(text), sentinel_subject_problem(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_is_held(text), sentinel_subject_problem(text, text)
    TO frontline_app;
"""

FENCE = """
-- For whoever gets past the grants: a key only ever goes, for a subject whose erasure stands in
-- the log, and never under a legal hold.
CREATE FUNCTION sentinel_keep_subject_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL
        AND (NEW.entity, NEW.subject, NEW.created_at) = (OLD.entity, OLD.subject, OLD.created_at)
    THEN
        IF sentinel_is_held(OLD.subject) THEN
            RAISE EXCEPTION 'a legal hold is in force for %', OLD.subject USING ERRCODE = 'FL015';
        END IF;
        IF EXISTS (SELECT FROM sentinel_record r WHERE r.entity = OLD.entity
                AND r.kind = 'erasure'
                AND convert_from(r.body, 'UTF8')::jsonb #>> '{content,subject}' = OLD.subject) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the key of a subject stays as it is: % refused', TG_OP
        USING ERRCODE = 'FL001';
END $$;
REVOKE ALL ON FUNCTION sentinel_keep_subject_key() FROM PUBLIC;
CREATE TRIGGER sentinel_subject_key_kept BEFORE UPDATE OR DELETE ON sentinel_subject_key
    FOR EACH ROW EXECUTE FUNCTION sentinel_keep_subject_key();
CREATE TRIGGER sentinel_subject_key_whole BEFORE TRUNCATE ON sentinel_subject_key
    FOR EACH STATEMENT EXECUTE FUNCTION sentinel_keep_subject_key();
"""

WRITING = r"""
-- Holds and erasures of one legal entity follow each other, so that neither overtakes the other.
CREATE FUNCTION sentinel_take_subject(_token uuid, _kind text, _body text,
    OUT maker_id text, OUT maker text, OUT checker text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(frontline_entity() || '|subjects', 13));
    SELECT * INTO c FROM sentinel_take_change(_token, _kind, 'subject/v1|' || _body);
    IF c.checker IS NULL OR c.maker IS NULL OR c.maker = c.checker THEN RETURN; END IF;
    maker_id := c.principal_id;
    maker := c.maker;
    checker := c.checker;
END $$;

CREATE FUNCTION sentinel_hold_subject(_token uuid, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _asked jsonb := _body::jsonb;
    _problem text;
BEGIN
    SELECT * INTO c FROM sentinel_take_subject(_token, 'subjects.hold', _body);
    IF c.maker IS NULL THEN RETURN 'refused'; END IF;
    _problem := sentinel_subject_problem('hold', _body);
    IF _problem IS NOT NULL THEN RETURN _problem; END IF;
    INSERT INTO sentinel_legal_hold (hold_id, event, subject, reason, until, maker, maker_person,
        checker_person)
    VALUES (_token, 'placed', _asked ->> 'subject', _asked ->> 'reason',
        (_asked ->> 'until')::timestamptz, c.maker_id, c.maker, c.checker);
    RETURN 'written';
END $$;

CREATE FUNCTION sentinel_release_subject(_token uuid, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _asked jsonb := _body::jsonb;
    _problem text;
BEGIN
    SELECT * INTO c FROM sentinel_take_subject(_token, 'subjects.release', _body);
    IF c.maker IS NULL THEN RETURN 'refused'; END IF;
    _problem := sentinel_subject_problem('release', _body);
    IF _problem IS NOT NULL THEN RETURN _problem; END IF;
    INSERT INTO sentinel_legal_hold (hold_id, event, subject, reason, maker, maker_person,
        checker_person)
    SELECT h.hold_id, 'released', h.subject, _asked ->> 'reason', c.maker_id, c.maker, c.checker
    FROM sentinel_legal_hold h WHERE h.entity = frontline_entity()
        AND h.hold_id = (_asked ->> 'hold')::uuid AND h.event = 'placed';
    RETURN 'written';
END $$;

-- Writes the leaf and destroys the key, or does neither. The subject of an erasure is made of
-- letters that JSON takes as they are.
CREATE FUNCTION sentinel_destroy_key(_subject text, _decision uuid, _is_again boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF _subject !~ '^customer:[A-Za-z0-9_.-]{1,100}$' THEN
        RAISE EXCEPTION 'no such subject' USING ERRCODE = 'FL001';
    END IF;
    -- Canonical JSON: names in order, no spaces.
    PERFORM sentinel_append(convert_to(format('{"case_id":null,"content":{"again":%s,'
        '"destroyed":["key","salts"],"subject":"%s"},"decision_id":"%s","entity":"%s","id":"%s",'
        '"kind":"erasure","v":1}', _is_again::text, _subject, _decision, frontline_entity(),
        gen_random_uuid()), 'UTF8'));
    UPDATE sentinel_subject_key SET wrapped = NULL, destroyed_at = clock_timestamp()
        WHERE entity = frontline_entity() AND subject = _subject AND wrapped IS NOT NULL;
END $$;

CREATE FUNCTION sentinel_forget_subject(_token uuid, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    _problem text;
BEGIN
    SELECT * INTO c FROM sentinel_take_subject(_token, 'subjects.forget', _body);
    IF c.maker IS NULL THEN RETURN 'refused'; END IF;
    _problem := sentinel_subject_problem('forget', _body);
    IF _problem IS NOT NULL THEN RETURN _problem; END IF;
    PERFORM sentinel_destroy_key(_body::jsonb ->> 'subject', _token, false);
    RETURN 'written';
END $$;

-- For the owner, after a backup from before an erasure was put back: what two people had erased
-- is erased again, and a person whom the backup does not know is not made known again.
CREATE FUNCTION sentinel_reapply_erasure(_entity text, _subject text, _decision uuid)
RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    _before text := coalesce(current_setting('frontline.entity', true), '');
BEGIN
    PERFORM set_config('frontline.entity', _entity, true);
    IF EXISTS (SELECT FROM sentinel_subject_key k
            WHERE k.entity = _entity AND k.subject = _subject AND k.wrapped IS NULL) THEN
        PERFORM set_config('frontline.entity', _before, true);
        RETURN false;
    END IF;
    PERFORM sentinel_destroy_key(_subject, _decision, true);
    INSERT INTO sentinel_subject_key (entity, subject, wrapped, destroyed_at)
        VALUES (_entity, _subject, NULL, clock_timestamp()) ON CONFLICT DO NOTHING;
    PERFORM set_config('frontline.entity', _before, true);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION sentinel_take_subject(uuid, text, text),
    sentinel_hold_subject(uuid, text), sentinel_release_subject(uuid, text),
    sentinel_destroy_key(text, uuid, boolean), sentinel_forget_subject(uuid, text),
    sentinel_reapply_erasure(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_hold_subject(uuid, text),
    sentinel_release_subject(uuid, text), sentinel_forget_subject(uuid, text) TO frontline_app;
"""

_KEPT = import_module("sentinel.migrations.0010_mandates").KEPT_FOR_PEOPLE
KEPT_FOR_PEOPLE = _KEPT.replace(
    "'limits.set', 'queues.set'",
    "'limits.set', 'queues.set', 'subjects.forget', 'subjects.hold',\n        'subjects.release'",
)
assert KEPT_FOR_PEOPLE != _KEPT

UNDO = """
DROP FUNCTION sentinel_reapply_erasure(text, text, uuid);
DROP FUNCTION sentinel_forget_subject(uuid, text);
DROP FUNCTION sentinel_destroy_key(text, uuid, boolean);
DROP FUNCTION sentinel_release_subject(uuid, text);
DROP FUNCTION sentinel_hold_subject(uuid, text);
DROP FUNCTION sentinel_take_subject(uuid, text, text);
DROP TRIGGER sentinel_subject_key_whole ON sentinel_subject_key;
DROP TRIGGER sentinel_subject_key_kept ON sentinel_subject_key;
DROP FUNCTION sentinel_keep_subject_key();
DROP FUNCTION sentinel_subject_problem(text, text);
DROP FUNCTION sentinel_is_held(text);
GRANT UPDATE ON sentinel_subject_key TO frontline_app;
DROP INDEX sentinel_record_erasure;
DROP TABLE sentinel_legal_hold;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0017_values_in_row")]
    operations = [
        migrations.RunSQL(TABLE + HELD + FENCE + WRITING + KEPT_FOR_PEOPLE, UNDO + _KEPT)
    ]
