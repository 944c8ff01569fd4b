"""Whoever stands in for somebody counts as them: neither approves what the other takes part in."""

from django.db import migrations

DELEGATES = """
-- Whether a person and one of these others stand in for each other in this kind of action, directly
-- or through somebody between, at any time since a moment.
CREATE FUNCTION sentinel_stands_in(_person text, _others text[], _kind text, _since timestamptz,
    _at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE line AS (
        SELECT a.holder_person, a.delegator_person, a.parent FROM sentinel_authority a
        WHERE a.kind = 'delegation' AND _kind = ANY (a.kinds) AND a.valid_from <= _at
            AND a.valid_until > _since AND NOT EXISTS (SELECT FROM sentinel_authority_end e
                WHERE e.authority = a.id AND e.ended_at < _since)
        UNION ALL
        SELECT l.holder_person, p.delegator_person, p.parent
        FROM line l JOIN sentinel_authority p ON p.id = l.parent AND p.kind = 'delegation'
    )
    SELECT EXISTS (SELECT FROM line l
        WHERE (l.holder_person = _person AND l.delegator_person = ANY (_others))
            OR (l.delegator_person = _person AND l.holder_person = ANY (_others)))
$$;
REVOKE ALL ON FUNCTION sentinel_stands_in(text, text[], text, timestamptz, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_stands_in(text, text[], text, timestamptz, timestamptz)
    TO frontline_app;

CREATE FUNCTION sentinel_check_delegate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM sentinel_approval_request q WHERE q.id = NEW.request_id
            AND q.entity = NEW.entity AND sentinel_stands_in(NEW.approver_person,
                q.excluded_persons, q.action_kind, q.opened_at,
                greatest(NEW.answered_at, clock_timestamp()))) THEN
        RAISE EXCEPTION 'a delegate answers for nobody else' USING ERRCODE = 'FL013';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION sentinel_check_delegate() FROM PUBLIC;
CREATE TRIGGER sentinel_approval_by_no_delegate BEFORE INSERT ON sentinel_approval
    FOR EACH ROW EXECUTE FUNCTION sentinel_check_delegate();
"""

UNDO = """
DROP TRIGGER sentinel_approval_by_no_delegate ON sentinel_approval;
DROP FUNCTION sentinel_check_delegate();
DROP FUNCTION sentinel_stands_in(text, text[], text, timestamptz, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0012_passkeys")]
    operations = [migrations.RunSQL(DELEGATES, UNDO)]
