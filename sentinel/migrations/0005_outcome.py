"""How a permitted action ended, as one function: judged, written, settled and put on record.

It runs with the caller's rights, so row-level security holds.
"""

from django.db import migrations

OUTCOME = """
-- Returns when it was recorded, or nothing if there is no such permit, it was not redeemed, or it
-- has ended already: then nothing is written.
CREATE FUNCTION sentinel_record_outcome(_decision uuid, _kind text, _code text, _reference text,
    _position text, _words text, _record uuid, _body bytea) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    _is_final boolean := _kind <> 'unknown';
    _state text := CASE _kind WHEN 'done' THEN 'settled' ELSE 'released' END;
    _is_redeemed boolean := EXISTS (SELECT FROM sentinel_redemption WHERE token = _decision);
    _at timestamptz;
    _held sentinel_reservation%ROWTYPE;
BEGIN
    IF NOT EXISTS (SELECT FROM sentinel_decision WHERE id = _decision AND verdict = 'permit')
        OR (_kind = 'expired' AND _is_redeemed)
        OR (_kind IN ('done', 'unknown') AND NOT _is_redeemed)
        OR EXISTS (SELECT FROM sentinel_outcome WHERE decision_id = _decision AND is_final)
    THEN
        RETURN NULL;
    END IF;
    INSERT INTO sentinel_outcome
        (decision_id, is_final, kind, code, reference, position, words, record_id)
        VALUES (_decision, _is_final, _kind, _code, _reference, _position, _words, _record)
        ON CONFLICT DO NOTHING RETURNING recorded_at INTO _at;
    IF _at IS NULL THEN RETURN NULL; END IF;
    IF _is_final THEN
        UPDATE sentinel_reservation SET state = _state
            WHERE decision_id = _decision AND state = 'held' RETURNING * INTO _held;
        IF FOUND AND _state = 'released' THEN
            UPDATE sentinel_usage SET used_minor = used_minor - _held.amount_minor
                WHERE name = _held.name AND holder = _held.holder
                AND currency = _held.currency AND day = _held.day;
        END IF;
    END IF;
    PERFORM sentinel_append(_body);
    RETURN _at;
END $$;

-- The same for an effect that was carried out in this database, in the statement that did it: the
-- record's body is written here, in canonical form because its values hold nothing to escape.
CREATE FUNCTION sentinel_record_done(_decision uuid, _code text, _reference text, _position text,
    _words text, _record uuid) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF _code || _reference || _position !~ '^[a-z0-9_:-]*$' THEN
        RAISE EXCEPTION 'an outcome that needs escaping' USING ERRCODE = 'FL005';
    END IF;
    RETURN sentinel_record_outcome(_decision, 'done', _code, _reference, _position, _words,
        _record, convert_to('{"case_id":null,"content":{"code":"' || _code
            || '","outcome":"done","position":"' || _position || '","reference":"' || _reference
            || '"},"decision_id":"' || _decision || '","entity":"' || frontline_entity()
            || '","id":"' || _record || '","kind":"executed","v":1}', 'UTF8'));
END $$;
REVOKE ALL ON FUNCTION sentinel_record_outcome(uuid, text, text, text, text, text, uuid, bytea),
    sentinel_record_done(uuid, text, text, text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_record_outcome(uuid, text, text, text, text, text, uuid, bytea),
    sentinel_record_done(uuid, text, text, text, text, uuid) TO frontline_app;
"""

UNDO = """
DROP FUNCTION sentinel_record_done(uuid, text, text, text, text, uuid);
DROP FUNCTION sentinel_record_outcome(uuid, text, text, text, text, text, uuid, bytea);
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0004_gather")]
    operations = [migrations.RunSQL(OUTCOME, UNDO)]
