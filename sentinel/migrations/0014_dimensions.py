"""Caps in several dimensions: a permit reserves in each that has one, and its outcome settles all.

The function of thirteen arguments stays as it is for workers that still ask with it.
"""

from importlib import import_module

from django.db import migrations

RESERVATIONS = """
ALTER TABLE sentinel_reservation DROP CONSTRAINT sentinel_reservation_pkey;
ALTER TABLE sentinel_reservation ADD PRIMARY KEY (decision_id, name, holder);
"""

_BEFORE = import_module("sentinel.migrations.0011_mandates_written").GATHER
_USED_BEFORE = """
    'used', (SELECT used_minor FROM sentinel_usage WHERE holder = _holder AND day = _day
      AND name = _limit AND currency = _currency),
"""
_USED = """
    'limits', (SELECT json_agg(json_build_array(d.name, d.holder, c.cap_minor,
        coalesce(u.used_minor, 0)))
      FROM (SELECT split_part(t, '|', 1) AS name, split_part(t, '|', 2) AS holder,
          split_part(t, '|', 3) AS general, split_part(t, '|', 4) AS unit,
          split_part(t, '|', 5)::date AS day
        FROM unnest(string_to_array(_limits, ' ')) t) d
      CROSS JOIN LATERAL (SELECT l.cap_minor FROM sentinel_limit l
        WHERE l.holder IN ('*', d.general, d.holder) AND l.currency = d.unit
        AND l.name = d.name AND l.effective_from <= _at
        ORDER BY l.holder = d.holder DESC, l.holder = '*', l.position DESC LIMIT 1) c
      LEFT JOIN sentinel_usage u ON u.holder = d.holder AND u.day = d.day AND u.name = d.name
        AND u.currency = d.unit),
"""
_LOCK = """|| '|' || _subject, 7));
"""
# What several subjects use up is locked after the subject, in one order, if it has a cap at all.
_LOCKS = """|| '|' || _subject, 7));
    PERFORM pg_advisory_xact_lock(s.lock) FROM (
      SELECT hashtextextended(
          frontline_entity() || '|' || split_part(d, '|', 1) || '|' || split_part(d, '|', 2), 8)
        AS lock
      FROM unnest(string_to_array(_limits, ' ')) d
      WHERE d LIKE '%|shared' AND EXISTS (SELECT FROM sentinel_limit l
        WHERE l.holder IN ('*', split_part(d, '|', 2), split_part(d, '|', 3))
        AND l.currency = split_part(d, '|', 4) AND l.name = split_part(d, '|', 1))
      ORDER BY lock OFFSET 0) s;
"""
_REPLACED = {
    "_day date, _limit text, _key text": "_limits text, _key text",
    _USED_BEFORE: _USED,
    _LOCK: _LOCKS,
}


def _gather() -> str:
    """Return the look-up as it was, with what it asks about limits asked otherwise."""
    text = "CREATE FUNCTION" + _BEFORE.partition("CREATE FUNCTION")[2].partition("REVOKE ALL")[0]
    for old, new in _REPLACED.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    name = f"sentinel_gather({_TAKES})"
    return (
        f"{text}REVOKE ALL ON FUNCTION {name} FROM PUBLIC;"
        f"GRANT EXECUTE ON FUNCTION {name} TO frontline_app;"
    )


# Each of _limits, set apart by spaces, is a cap that may be used up:
# name|holder|whose cap counts otherwise|unit|first day|'shared' or 'own'.
_TAKES = "boolean, timestamptz, text, text, text, text, text, text, text, uuid, text, text"
GATHER = _gather()

OUTCOME = """
-- What a permit reserved ends with it, in every dimension; a step that was taken stays taken. The
-- rows of use are locked in the order in which permits write them.
CREATE FUNCTION sentinel_end_reservations(_decision uuid, _state text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF _state = 'settled' THEN
        UPDATE sentinel_reservation SET state = 'settled'
            WHERE decision_id = _decision AND state = 'held';
        RETURN;
    END IF;
    PERFORM FROM sentinel_usage u JOIN sentinel_reservation r ON u.name = r.name
        AND u.holder = r.holder AND u.currency = r.currency AND u.day = r.day
        WHERE r.decision_id = _decision AND r.state = 'held'
        ORDER BY u.holder, u.day, u.name FOR UPDATE OF u;
    WITH ended AS (
        UPDATE sentinel_reservation
        SET state = CASE currency WHEN 'STEP' THEN 'settled' ELSE 'released' END
        WHERE decision_id = _decision AND state = 'held'
        RETURNING name, holder, currency, day, amount_minor, state
    )
    UPDATE sentinel_usage u SET used_minor = u.used_minor - e.amount_minor FROM ended e
        WHERE e.state = 'released' AND u.name = e.name AND u.holder = e.holder
        AND u.currency = e.currency AND u.day = e.day;
END $$;
REVOKE ALL ON FUNCTION sentinel_end_reservations(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_end_reservations(uuid, text) TO frontline_app;

-- Returns when it was recorded, or nothing if there is no such permit, it was not redeemed, or it
-- has ended already: then nothing is written.
CREATE OR REPLACE FUNCTION sentinel_record_outcome(_decision uuid, _kind text, _code text,
    _reference text, _position text, _words text, _record uuid, _body bytea) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    _is_final boolean := _kind <> 'unknown';
    _at timestamptz;
BEGIN
    INSERT INTO sentinel_outcome
        (decision_id, is_final, kind, code, reference, position, words, record_id)
    SELECT d.id, _is_final, _kind, _code, _reference, _position, _words, _record
    FROM sentinel_decision d LEFT JOIN sentinel_redemption r ON r.token = d.id
    WHERE d.id = _decision AND d.verdict = 'permit'
        AND NOT (_kind = 'expired' AND r.token IS NOT NULL)
        AND NOT (_kind IN ('done', 'unknown') AND r.token IS NULL)
        AND NOT EXISTS (SELECT FROM sentinel_outcome o WHERE o.decision_id = d.id AND o.is_final)
    ON CONFLICT DO NOTHING RETURNING recorded_at INTO _at;
    IF _at IS NULL THEN RETURN NULL; END IF;
    IF _is_final THEN
        PERFORM sentinel_end_reservations(_decision,
            CASE _kind WHEN 'done' THEN 'settled' ELSE 'released' END);
    END IF;
    PERFORM sentinel_append(_body);
    RETURN _at;
END $$;
"""


def _as_before() -> str:
    """Return the statements that put things back as the earlier migrations made them."""
    outcome = import_module("sentinel.migrations.0006_fast_path").OUTCOME
    return (
        outcome
        + """
DROP FUNCTION sentinel_end_reservations(uuid, text);
DROP FUNCTION sentinel_gather(boolean, timestamptz, text, text, text, text, text, text, text, uuid,
    text, text);
ALTER TABLE sentinel_reservation DROP CONSTRAINT sentinel_reservation_pkey;
ALTER TABLE sentinel_reservation ADD PRIMARY KEY (decision_id);
"""
    )


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0013_approved_by_delegates")]
    operations = [migrations.RunSQL(RESERVATIONS + GATHER + OUTCOME, _as_before())]
