"""Budgets of tokens, money and time; usage that nobody lowers by hand; a gap between answers."""

from importlib import import_module

from django.db import migrations

SPENDING = """
-- Each part of _asked: name|holder|whose cap counts otherwise|unit|first day|shared|amount. The
-- answer is the name of the budget of which too little is left, "nothing" where none is in force,
-- or nothing at all once everything is reserved. Locked like what permits share, in one order.
CREATE FUNCTION sentinel_reserve_spend(_id uuid, _asked text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    _short text;
BEGIN
    IF NOT EXISTS (SELECT FROM sentinel_spend_caps(_asked)) THEN RETURN 'nothing'; END IF;
    PERFORM pg_advisory_xact_lock(s.lock) FROM (
      SELECT hashtextextended(frontline_entity() || '|' || c.name || '|' || c.holder, 8) AS lock
      FROM sentinel_spend_caps(_asked) c ORDER BY lock OFFSET 0) s;
    SELECT c.name INTO _short FROM sentinel_spend_caps(_asked) c
    LEFT JOIN sentinel_usage u ON u.holder = c.holder AND u.day = c.day AND u.name = c.name
        AND u.currency = c.unit
    WHERE coalesce(u.used_minor, 0) + greatest(c.amount, 1) > c.cap ORDER BY c.name LIMIT 1;
    IF FOUND THEN RETURN _short; END IF;
    INSERT INTO sentinel_reservation (decision_id, name, holder, currency, day, amount_minor, state)
    SELECT _id, c.name, c.holder, c.unit, c.day, c.amount, 'held'
    FROM sentinel_spend_caps(_asked) c WHERE c.amount > 0;
    INSERT INTO sentinel_usage AS u (name, holder, currency, day, used_minor)
    SELECT c.name, c.holder, c.unit, c.day, c.amount FROM sentinel_spend_caps(_asked) c
    WHERE c.amount > 0 ORDER BY c.holder, c.day, c.name
    ON CONFLICT (entity, holder, day, name, currency)
    DO UPDATE SET used_minor = u.used_minor + excluded.used_minor;
    RETURN '';
END $$;

-- What was taken in the place of what was reserved. What took more than was thought has taken it.
CREATE FUNCTION sentinel_settle_spend(_id uuid, _asked text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM sentinel_decision WHERE id = _id) THEN RETURN; END IF;
    PERFORM FROM sentinel_usage u JOIN sentinel_spend_caps(_asked) c ON u.name = c.name
        AND u.holder = c.holder AND u.currency = c.unit AND u.day = c.day
        ORDER BY u.holder, u.day, u.name FOR UPDATE OF u;
    WITH ended AS (
        UPDATE sentinel_reservation r SET state = 'settled'
        WHERE r.decision_id = _id AND r.state = 'held'
        RETURNING r.name, r.holder, r.currency, r.day, r.amount_minor
    ), taken AS (
        SELECT c.name, c.holder, c.unit, c.day,
            c.amount - coalesce(e.amount_minor, 0) AS difference
        FROM sentinel_spend_caps(_asked) c LEFT JOIN ended e ON e.name = c.name
            AND e.holder = c.holder AND e.currency = c.unit AND e.day = c.day
        WHERE EXISTS (SELECT FROM ended)
    ), moved AS (
        UPDATE sentinel_usage u SET used_minor = greatest(0, u.used_minor + t.difference)
        FROM taken t WHERE u.name = t.name AND u.holder = t.holder AND u.currency = t.unit
            AND u.day = t.day RETURNING u.name, u.holder
    )
    INSERT INTO sentinel_usage (name, holder, currency, day, used_minor)
    SELECT t.name, t.holder, t.unit, t.day, t.difference FROM taken t
    WHERE t.difference > 0 AND NOT EXISTS (
        SELECT FROM moved m WHERE m.name = t.name AND m.holder = t.holder)
    ON CONFLICT (entity, holder, day, name, currency) DO NOTHING;
END $$;

-- The budgets in force of those that are asked about, with how much of each is asked for.
CREATE FUNCTION sentinel_spend_caps(_asked text, OUT name text, OUT holder text, OUT unit text,
    OUT day date, OUT amount bigint, OUT cap bigint) RETURNS SETOF record
LANGUAGE sql STABLE
AS $$
    SELECT split_part(t, '|', 1), split_part(t, '|', 2), split_part(t, '|', 4),
        split_part(t, '|', 5)::date, split_part(t, '|', 7)::bigint, c.cap_minor
    FROM unnest(string_to_array(_asked, ' ')) t CROSS JOIN LATERAL (
        SELECT l.cap_minor FROM sentinel_limit l
        WHERE l.holder IN ('*', split_part(t, '|', 2)) AND l.currency = split_part(t, '|', 4)
            AND l.name = split_part(t, '|', 1) AND l.effective_from <= clock_timestamp()
        ORDER BY l.holder = '*', l.position DESC LIMIT 1) c
$$;
REVOKE ALL ON FUNCTION sentinel_reserve_spend(uuid, text), sentinel_settle_spend(uuid, text),
    sentinel_spend_caps(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_reserve_spend(uuid, text), sentinel_settle_spend(uuid, text)
    TO frontline_app;
"""

FENCE = """
-- What was used is used. It is given back by the owner's functions alone, which look for an
-- outcome that says that nothing was done, or settle what a call took.
CREATE FUNCTION sentinel_keep_usage() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user <> (SELECT tableowner FROM pg_tables WHERE schemaname = 'public'
            AND tablename = 'sentinel_usage')
        AND (NEW.used_minor < OLD.used_minor OR (NEW.name, NEW.holder, NEW.currency, NEW.day,
            NEW.entity) IS DISTINCT FROM (OLD.name, OLD.holder, OLD.currency, OLD.day, OLD.entity))
    THEN
        RAISE EXCEPTION 'usage is not lowered by hand' USING ERRCODE = 'FL015';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION sentinel_keep_usage() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_keep_usage() TO frontline_app;
CREATE TRIGGER sentinel_usage_kept BEFORE UPDATE ON sentinel_usage
    FOR EACH ROW EXECUTE FUNCTION sentinel_keep_usage();
REVOKE UPDATE ON sentinel_reservation FROM frontline_app;
"""

_END_BEFORE = import_module("sentinel.migrations.0014_dimensions").OUTCOME
_END_BEFORE = (
    "CREATE OR REPLACE FUNCTION sentinel_end_reservations"
    + _END_BEFORE.partition("CREATE FUNCTION sentinel_end_reservations")[2].partition("REVOKE")[0]
)
_HEAD = "RETURNS void\nLANGUAGE plpgsql\nAS $$\nBEGIN\n"
assert _END_BEFORE.count(_HEAD) == 1
END = _END_BEFORE.replace(
    _HEAD,
    """RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sentinel_outcome o WHERE o.decision_id = _decision AND o.is_final
            AND (o.kind = 'done') = (_state = 'settled')) THEN
        RAISE EXCEPTION 'what is reserved ends with an outcome' USING ERRCODE = 'FL015';
    END IF;
""",
)

GAP = """
-- How many seconds one person leaves between two answers of high risk, as data; none, no gap.
CREATE FUNCTION sentinel_answers_too_soon(_person text, _risk text, _at timestamptz)
RETURNS boolean LANGUAGE sql STABLE
AS $$
    SELECT _risk = 'high' AND EXISTS (
        SELECT FROM sentinel_approval a JOIN sentinel_approval_request q ON q.id = a.request_id
        WHERE a.approver_person = _person AND q.risk = 'high'
            AND abs(extract(epoch FROM _at - a.answered_at)) < (
                SELECT l.cap_minor FROM sentinel_limit l WHERE l.name = 'approval_gap'
                    AND l.holder = '*' AND l.currency = 'SEC'
                    AND l.effective_from <= clock_timestamp()
                ORDER BY l.position DESC LIMIT 1))
$$;
CREATE INDEX sentinel_approval_person ON sentinel_approval (approver_person, answered_at);
CREATE FUNCTION sentinel_check_gap() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF sentinel_answers_too_soon(NEW.approver_person, (SELECT q.risk FROM
            sentinel_approval_request q WHERE q.id = NEW.request_id), NEW.answered_at) THEN
        RAISE EXCEPTION 'answers of high risk are given with a gap' USING ERRCODE = 'FL016';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION sentinel_answers_too_soon(text, text, timestamptz), sentinel_check_gap()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_answers_too_soon(text, text, timestamptz) TO frontline_app;
CREATE TRIGGER sentinel_approval_with_gap BEFORE INSERT ON sentinel_approval
    FOR EACH ROW EXECUTE FUNCTION sentinel_check_gap();
"""

UNDO = """
DROP TRIGGER sentinel_approval_with_gap ON sentinel_approval;
DROP FUNCTION sentinel_check_gap();
DROP INDEX sentinel_approval_person;
DROP FUNCTION sentinel_answers_too_soon(text, text, timestamptz);
GRANT UPDATE ON sentinel_reservation TO frontline_app;
DROP TRIGGER sentinel_usage_kept ON sentinel_usage;
DROP FUNCTION sentinel_keep_usage();
DROP FUNCTION sentinel_settle_spend(uuid, text);
DROP FUNCTION sentinel_reserve_spend(uuid, text);
DROP FUNCTION sentinel_spend_caps(text);
"""
_INVOKED = (
    "ALTER FUNCTION sentinel_end_reservations(uuid, text) SECURITY INVOKER RESET search_path;"
)


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0022_revoked_keys")]
    operations = [
        migrations.RunSQL(SPENDING + FENCE + END + GAP, UNDO + _END_BEFORE + _INVOKED)
    ]
