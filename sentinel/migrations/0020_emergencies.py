"""Break-glass: begun alone, short, ended at any time, and reviewed by another person.

Rows are only ever added, beside a redemption of exactly that change. A permit that was given under
an emergency is spent only while the emergency stands.
"""

from importlib import import_module

from django.db import migrations

TABLES = """
-- Named by the permit it was begun under; one for each case.
CREATE TABLE sentinel_emergency (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    case_id uuid NOT NULL,
    breaker text COLLATE "C" NOT NULL CHECK (breaker LIKE 'employee:%'),
    breaker_person text NOT NULL CHECK (breaker_person <> ''),
    kinds text[] NOT NULL CHECK (cardinality(kinds) > 0),
    reason text NOT NULL CHECK (length(reason) BETWEEN 20 AND 500),
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until timestamptz NOT NULL,
    review_due_at timestamptz NOT NULL,
    UNIQUE (id, breaker_person),
    UNIQUE (case_id),
    CHECK (until > begun_at AND until <= begun_at + interval '1 hour'),
    CHECK (review_due_at > begun_at)
);
CREATE INDEX sentinel_emergency_breaker ON sentinel_emergency (entity, breaker, until DESC);
CREATE TABLE sentinel_emergency_end (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    emergency uuid PRIMARY KEY REFERENCES sentinel_emergency (id),
    ended_by text NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Whoever broke the glass never reviews it, under any account.
CREATE TABLE sentinel_emergency_review (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    emergency uuid PRIMARY KEY,
    breaker_person text NOT NULL,
    is_justified boolean NOT NULL,
    request_id uuid NOT NULL,
    reviewer text NOT NULL,
    reviewer_person text NOT NULL,
    reviewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (emergency, breaker_person) REFERENCES sentinel_emergency (id, breaker_person),
    CHECK (reviewer_person <> breaker_person)
);
SELECT frontline_protect(t::regclass, 'append_only') FROM unnest(ARRAY[
    'sentinel_emergency', 'sentinel_emergency_end', 'sentinel_emergency_review']) AS t;
REVOKE INSERT ON sentinel_emergency, sentinel_emergency_end, sentinel_emergency_review
    FROM frontline_app;
ALTER TABLE sentinel_decision ADD COLUMN emergency_id uuid REFERENCES sentinel_emergency (id);
CREATE INDEX sentinel_decision_emergency ON sentinel_decision (emergency_id)
    WHERE emergency_id IS NOT NULL;
"""

STANDING = """
CREATE FUNCTION sentinel_emergency_stands(_id uuid) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (SELECT FROM sentinel_emergency e WHERE e.id = _id
        AND e.until > clock_timestamp()
        AND NOT EXISTS (SELECT FROM sentinel_emergency_end x WHERE x.emergency = e.id))
$$;

-- The emergency that stands for somebody and a kind of action, and until when; or nothing.
CREATE FUNCTION sentinel_emergency_for(_breaker text, _person text, _kind text) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT e.id || ' ' || to_char(e.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')
    FROM sentinel_emergency e
    WHERE e.breaker = _breaker AND e.breaker_person = _person AND _kind = ANY (e.kinds)
        AND NOT sentinel_is_human_only(_kind) AND e.until > clock_timestamp()
        AND NOT EXISTS (SELECT FROM sentinel_emergency_end x WHERE x.emergency = e.id)
    ORDER BY e.until DESC LIMIT 1
$$;

-- Why somebody cannot break glass now; nothing if they can.
CREATE FUNCTION sentinel_emergency_problem(_breaker text, _person text) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM sentinel_emergency e WHERE e.breaker_person = _person
            AND sentinel_emergency_stands(e.id)) THEN 'emergency_running'
        WHEN EXISTS (SELECT FROM sentinel_emergency e WHERE e.breaker_person = _person
            AND e.review_due_at < clock_timestamp() AND NOT EXISTS (
                SELECT FROM sentinel_emergency_review v WHERE v.emergency = e.id))
            THEN 'emergency_review_owed'
    END
$$;
REVOKE ALL ON FUNCTION sentinel_emergency_stands(uuid),
    sentinel_emergency_for(text, text, text), sentinel_emergency_problem(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_emergency_stands(uuid),
    sentinel_emergency_for(text, text, text), sentinel_emergency_problem(text, text)
    TO frontline_app;
"""

WRITING = """
CREATE FUNCTION sentinel_write_emergency(_token uuid, _kind text, _body text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
    e sentinel_emergency%ROWTYPE;
    _asked jsonb := _body::jsonb;
    _problem text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(frontline_entity() || '|emergency', 14));
    SELECT * INTO c FROM sentinel_take_change(_token, _kind, 'emergency/v1|' || _body);
    IF c.principal_id IS NULL THEN RETURN 'refused'; END IF;
    IF _kind = 'emergency.begin' THEN
        IF c.principal_id <> _asked ->> 'breaker' THEN RETURN 'emergency_not_self'; END IF;
        _problem := (SELECT 'emergency_human_only ' || k
            FROM jsonb_array_elements_text(_asked -> 'kinds') k
            WHERE sentinel_is_human_only(k) LIMIT 1);
        _problem := coalesce(_problem, sentinel_emergency_problem(
            _asked ->> 'breaker', _asked ->> 'breaker_person'));
        IF _problem IS NOT NULL THEN RETURN _problem; END IF;
        INSERT INTO sentinel_emergency (id, case_id, breaker, breaker_person, kinds, reason,
            until, review_due_at)
        SELECT _token, d.case_id, c.principal_id, _asked ->> 'breaker_person',
            ARRAY(SELECT jsonb_array_elements_text(_asked -> 'kinds')), _asked ->> 'reason',
            clock_timestamp() + make_interval(mins => (_asked ->> 'minutes')::integer),
            clock_timestamp() + interval '1 day'
        FROM sentinel_decision d WHERE d.id = _token;
        RETURN 'written';
    END IF;
    SELECT * INTO e FROM sentinel_emergency WHERE id = (_asked ->> 'emergency')::uuid;
    IF e.id IS NULL THEN RETURN 'emergency_unknown'; END IF;
    IF _kind = 'emergency.end' THEN
        IF NOT sentinel_emergency_stands(e.id) THEN RETURN 'emergency_over'; END IF;
        INSERT INTO sentinel_emergency_end (emergency, ended_by, reason)
        VALUES (e.id, c.principal_id, _asked ->> 'reason');
        RETURN 'written';
    END IF;
    IF _kind <> 'emergency.review' OR c.checker IS NULL OR NOT EXISTS (
        SELECT FROM sentinel_emergency_review v WHERE v.emergency = e.id
            AND v.reviewer_person = c.checker AND v.is_justified) THEN
        RETURN 'emergency_unreviewed';
    END IF;
    RETURN 'written';
END $$;

-- Who answers the review, either way, has concluded it; what still runs then is over.
CREATE FUNCTION sentinel_conclude_emergency() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO sentinel_emergency_review (emergency, breaker_person, is_justified, request_id,
        reviewer, reviewer_person)
    SELECT e.id, e.breaker_person, NEW.verdict = 'approve', NEW.request_id, NEW.approver_id,
        NEW.approver_person
    FROM sentinel_approval_request q JOIN sentinel_emergency e ON e.case_id = q.case_id
    WHERE q.id = NEW.request_id AND q.action_kind = 'emergency.review';
    INSERT INTO sentinel_emergency_end (emergency, ended_by, reason)
    SELECT v.emergency, NEW.approver_id, 'reviewed' FROM sentinel_emergency_review v
    WHERE v.request_id = NEW.request_id AND sentinel_emergency_stands(v.emergency)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION sentinel_write_emergency(uuid, text, text),
    sentinel_conclude_emergency() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_write_emergency(uuid, text, text) TO frontline_app;
CREATE TRIGGER sentinel_approval_concludes_emergency AFTER INSERT ON sentinel_approval
    FOR EACH ROW WHEN (NEW.verdict IN ('approve', 'reject'))
    EXECUTE FUNCTION sentinel_conclude_emergency();
"""

_REDEEM_BEFORE = import_module("sentinel.migrations.0006_fast_path").REDEEM
_REPLACED = {
    "        AND NOT sentinel_is_revoked(p.entity, _scopes, _epoch)\n": (
        "        AND NOT sentinel_is_revoked(p.entity, _scopes, _epoch)\n"
        "        AND (p.emergency_id IS NULL OR sentinel_emergency_stands(p.emergency_id))\n"
    ),
    "        WHEN sentinel_is_revoked(d.entity, _scopes, _epoch) THEN 'revoked'\n": (
        "        WHEN sentinel_is_revoked(d.entity, _scopes, _epoch) THEN 'revoked'\n"
        "        WHEN d.emergency_id IS NOT NULL AND NOT sentinel_emergency_stands(d.emergency_id)\n"
        "            THEN 'emergency_over'\n"
    ),
}


def redeem() -> str:
    text = _REDEEM_BEFORE
    for old, new in _REPLACED.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


_KEPT_BEFORE = import_module("sentinel.migrations.0018_erasure").KEPT_FOR_PEOPLE
KEPT_FOR_PEOPLE = _KEPT_BEFORE.replace(
    "IN (", "IN ('emergency.begin', 'emergency.end', 'emergency.review',\n        "
)
UNDO = """
DROP TRIGGER sentinel_approval_concludes_emergency ON sentinel_approval;
DROP FUNCTION sentinel_conclude_emergency();
DROP FUNCTION sentinel_write_emergency(uuid, text, text);
DROP FUNCTION sentinel_emergency_problem(text, text);
DROP FUNCTION sentinel_emergency_for(text, text, text);
DROP FUNCTION sentinel_emergency_stands(uuid);
ALTER TABLE sentinel_decision DROP COLUMN emergency_id;
DROP TABLE sentinel_emergency_review, sentinel_emergency_end, sentinel_emergency;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0019_months")]
    operations = [
        migrations.RunSQL(
            TABLES + STANDING + KEPT_FOR_PEOPLE + WRITING + redeem(),
            _REDEEM_BEFORE + _KEPT_BEFORE + UNDO,
        )
    ]
