"""Switches for rules and agents, what is kept for people, and answers given one at a time.

What a bundle of policies says about the last two changes nothing: the database refuses by itself.
"""

from importlib import import_module

from django.db import migrations

_GATHER = import_module("sentinel.migrations.0004_gather").GATHER
_ASKED_BEFORE = """
    'switches', (SELECT json_build_array(coalesce(max(k.position), 0),
        array_agg(k.scope) FILTER (WHERE k.is_stopped))
      FROM unnest(string_to_array(_scopes, ' ')) asked CROSS JOIN LATERAL (
        SELECT position, scope, is_stopped FROM sentinel_kill_switch
        WHERE scope = asked ORDER BY position DESC LIMIT 1) k),
"""
# The epoch is that of all switches, as it is not known yet on which rules the decision will rest;
# every scope from 'bundle:' to 'policy:' that is no key names rules.
ASKED = """
    'switches', (SELECT json_build_array(
        coalesce((SELECT position FROM sentinel_kill_switch ORDER BY position DESC LIMIT 1), 0),
        (SELECT array_agg(k.scope) FILTER (WHERE k.is_stopped)
          FROM unnest(string_to_array(_scopes, ' ')) asked CROSS JOIN LATERAL (
            SELECT scope, is_stopped FROM sentinel_kill_switch
            WHERE scope = asked ORDER BY position DESC LIMIT 1) k),
        (SELECT array_agg(k.scope) FILTER (WHERE k.is_stopped) FROM (
            SELECT DISTINCT ON (scope) scope, is_stopped FROM sentinel_kill_switch
            WHERE scope >= 'bundle:' AND scope < 'policy;' AND scope NOT LIKE 'kid:%'
            ORDER BY scope, position DESC) k))),
"""

SWITCHES = """
-- No switch at all was turned since: one probe. Else one for each scope.
CREATE OR REPLACE FUNCTION sentinel_is_revoked(_entity text, _scopes text[], _epoch bigint)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT _epoch < coalesce((SELECT max(position) FROM sentinel_kill_switch k
            WHERE k.entity = _entity), 0)
        AND EXISTS (SELECT FROM unnest(_scopes) AS asked WHERE _epoch < (
            SELECT max(position) FROM sentinel_kill_switch k
            WHERE k.entity = _entity AND k.scope = asked))
$$;

-- One after the other, so that whoever sees an epoch sees every switch before it.
CREATE FUNCTION sentinel_number_switches() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('sentinel_kill_switch', 11));
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION sentinel_number_switches() FROM PUBLIC;
CREATE TRIGGER sentinel_kill_switch_in_order BEFORE INSERT ON sentinel_kill_switch
    FOR EACH STATEMENT EXECUTE FUNCTION sentinel_number_switches();
"""

PEOPLE = """
-- A kind once named here leaves only by another migration: nothing that can be configured does it.
CREATE FUNCTION sentinel_is_human_only(_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT _kind IN ('flows.change', 'flows.migrate', 'flows.pass_over', 'flows.publish',
        'flows.release_held', 'flows.roll_out', 'kill_switch.release', 'kill_switch.throw',
        'limits.set', 'queues.set')
$$;
REVOKE ALL ON FUNCTION sentinel_is_human_only(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_is_human_only(text) TO frontline_app;

CREATE FUNCTION sentinel_require_human() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF sentinel_is_human_only(NEW.action_kind) THEN
        RAISE EXCEPTION '% is kept for people', NEW.action_kind USING ERRCODE = 'FL010';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION sentinel_require_human() FROM PUBLIC;
CREATE TRIGGER sentinel_decision_by_human BEFORE INSERT ON sentinel_decision
    FOR EACH ROW WHEN (NEW.verdict = 'permit'
        AND (NEW.principal_id LIKE 'agent:%' OR NEW.principal_id LIKE 'system:%'))
    EXECUTE FUNCTION sentinel_require_human();
"""

ANSWERS = """
-- Unknown is high.
ALTER TABLE sentinel_approval_request ADD COLUMN risk text COLLATE "C" NOT NULL DEFAULT 'high'
    CHECK (risk IN ('low', 'medium', 'high'));
ALTER TABLE sentinel_approval ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX sentinel_approval_xact ON sentinel_approval (xact);

-- Who answers is another human being than everybody who takes part, under any account, answers
-- what the request is about, and answers what is of high risk one request at a time.
CREATE FUNCTION sentinel_check_approval() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    q sentinel_approval_request%ROWTYPE;
BEGIN
    SELECT * INTO q FROM sentinel_approval_request
        WHERE id = NEW.request_id AND entity = NEW.entity FOR UPDATE;
    IF q.state IS DISTINCT FROM 'open' OR q.expires_at < clock_timestamp()
        OR NEW.params_hash IS DISTINCT FROM q.params_hash
        OR NEW.approver_id NOT LIKE 'employee:%' OR NEW.approver_person = ''
        OR NEW.approver_id = ANY (q.excluded_ids)
        OR NEW.approver_person = ANY (q.excluded_persons)
    THEN
        RAISE EXCEPTION 'not this person''s to answer' USING ERRCODE = 'FL011';
    END IF;
    IF q.risk = 'high' AND EXISTS (
        SELECT FROM sentinel_approval a JOIN sentinel_approval_request b ON b.id = a.request_id
        WHERE a.xact = NEW.xact AND a.approver_person = NEW.approver_person AND b.risk = 'high')
    THEN
        RAISE EXCEPTION 'answers of high risk are given one at a time' USING ERRCODE = 'FL012';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION sentinel_check_approval() FROM PUBLIC;
CREATE TRIGGER sentinel_approval_by_another BEFORE INSERT ON sentinel_approval
    FOR EACH ROW EXECUTE FUNCTION sentinel_check_approval();
"""

assert _ASKED_BEFORE in _GATHER
GATHER = (
    _GATHER.partition("REVOKE ALL")[0]
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    .replace(_ASKED_BEFORE, ASKED)
)
UNDO = """
DROP TRIGGER sentinel_approval_by_another ON sentinel_approval;
DROP FUNCTION sentinel_check_approval();
ALTER TABLE sentinel_approval DROP COLUMN xact;
ALTER TABLE sentinel_approval_request DROP COLUMN risk;
DROP TRIGGER sentinel_decision_by_human ON sentinel_decision;
DROP FUNCTION sentinel_require_human();
DROP FUNCTION sentinel_is_human_only(text);
DROP TRIGGER sentinel_kill_switch_in_order ON sentinel_kill_switch;
DROP FUNCTION sentinel_number_switches();
"""


def _as_before() -> str:
    """Return the statements that put the functions back as the earlier migrations made them."""
    revoked = import_module("sentinel.migrations.0006_fast_path").REVOKED
    made = _GATHER.partition("REVOKE ALL")[0] + revoked.partition("REVOKE ALL")[0]
    return UNDO + made.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0008_restored")]
    operations = [migrations.RunSQL(GATHER + SWITCHES + PEOPLE + ANSWERS, _as_before())]
