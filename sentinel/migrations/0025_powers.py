"""What the application could still do by itself: rewrite who is excluded, spend what has ended.

The owner's functions trust a request for approval, so the application writes no more of it than
how it fares, and a trigger compares it with the decision that asked for it.
"""

from importlib import import_module

from django.db import migrations

_OUTCOME_BEFORE = import_module("sentinel.migrations.0014_dimensions").OUTCOME
_OUTCOME_BEFORE = (
    "CREATE OR REPLACE FUNCTION sentinel_record_outcome"
    + _OUTCOME_BEFORE.partition("CREATE OR REPLACE FUNCTION sentinel_record_outcome")[2]
)
_REDEEM_BEFORE = import_module("sentinel.migrations.0021_gate").REDEEM
_TAKE_BEFORE = (
    "CREATE OR REPLACE FUNCTION sentinel_take_change"
    + import_module("sentinel.migrations.0007_confined")
    .GOVERNING.partition("CREATE FUNCTION sentinel_take_change")[2]
    .partition("CREATE FUNCTION")[0]
)
_AGREED_BEFORE = (
    "CREATE OR REPLACE FUNCTION sentinel_publication_agreed"
    + import_module("sentinel.migrations.0016_publish_gate")
    .TABLES.partition("CREATE FUNCTION sentinel_publication_agreed")[2]
    .partition("REVOKE ALL")[0]
)
_PROBLEM_BEFORE = (
    "CREATE OR REPLACE FUNCTION sentinel_emergency_problem"
    + import_module("sentinel.migrations.0020_emergencies")
    .STANDING.partition("CREATE FUNCTION sentinel_emergency_problem")[2]
    .partition("REVOKE ALL")[0]
)

REQUESTS = """
REVOKE UPDATE ON sentinel_approval_request, sentinel_challenge FROM frontline_app;
GRANT UPDATE (state, expires_at) ON sentinel_approval_request TO frontline_app;
GRANT UPDATE (attempts, satisfied_at) ON sentinel_challenge TO frontline_app;

-- A request is about exactly what a decision left to people, and excludes who asked for it.
CREATE FUNCTION sentinel_check_request() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NEW.state <> 'open' OR NOT EXISTS (SELECT FROM sentinel_decision d
            WHERE d.id = NEW.decision_id AND d.entity = NEW.entity
            AND d.verdict = 'needs_approval' AND d.action_kind = NEW.action_kind
            AND d.case_id = NEW.case_id AND d.params_hash = NEW.params_hash
            AND d.principal_id = NEW.requested_by AND d.principal_id = ANY (NEW.excluded_ids)
            AND (NEW.excluded_persons <> '{}' OR d.principal_id LIKE 'system:%'))
        OR '' = ANY (NEW.excluded_persons)
    THEN
        RAISE EXCEPTION 'not what a decision asked people for' USING ERRCODE = 'FL017';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sentinel_approval_request_decided BEFORE INSERT ON sentinel_approval_request
    FOR EACH ROW EXECUTE FUNCTION sentinel_check_request();

-- It is answered as its answer says, once, and never opened again.
CREATE FUNCTION sentinel_check_request_state() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF OLD.state <> 'open' OR (NEW.state <> 'closed' AND NOT EXISTS (
            SELECT FROM sentinel_approval a WHERE a.request_id = NEW.id AND NEW.state = CASE
                a.verdict WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected'
                ELSE 'returned' END))
    THEN
        RAISE EXCEPTION 'nobody answered so' USING ERRCODE = 'FL017';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sentinel_approval_request_answered BEFORE UPDATE OF state
    ON sentinel_approval_request
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION sentinel_check_request_state();
REVOKE ALL ON FUNCTION sentinel_check_request(), sentinel_check_request_state() FROM PUBLIC;
"""

_JOINED = """    LEFT JOIN sentinel_approval a ON a.request_id = r.approval_id AND a.verdict = 'approve'
    LEFT JOIN sentinel_approval_request q ON q.id = a.request_id
"""
_JOINED_FULLY = """    LEFT JOIN (sentinel_approval a JOIN sentinel_approval_request q ON q.id = a.request_id)
        ON a.request_id = r.approval_id AND a.verdict = 'approve'
        AND a.approver_id <> d.principal_id AND a.params_hash = r.params_hash
        AND q.params_hash = r.params_hash AND q.action_kind = r.action_kind
"""

_BEGIN = "    INSERT INTO sentinel_redemption "
# Against whoever says meanwhile that it failed; see sentinel_record_outcome.
_LOCK = "PERFORM pg_advisory_xact_lock(hashtextextended({}::text, 15));\n"
_SHUT = "        AND NOT sentinel_is_shut(p.entity, p.action_kind)\n"
_NOT_ENDED = """        AND NOT EXISTS (
            SELECT FROM sentinel_outcome o WHERE o.decision_id = p.id AND o.is_final)
"""
_KEEP = "    INSERT INTO sentinel_outcome\n"
_ENDS_UNSPENT = (
    "    -- What ends without having been spent is not spent afterwards.\n"
    "    IF _kind IN ('failed', 'expired') THEN\n        "
    + _LOCK.format("_decision")
    + "    END IF;\n"
)

_GENESIS = "WHERE x.entity = NEW.entity AND NOT x.is_genesis) THEN\n"
_GENESIS_BEFORE_DECISIONS = """WHERE x.entity = NEW.entity AND NOT x.is_genesis)
            OR EXISTS (SELECT FROM sentinel_decision d WHERE d.entity = NEW.entity) THEN
"""
_ANY_PATH = "RETURNS trigger\nLANGUAGE plpgsql\n"
# No table of a session's own stands in for one of ours.
_ON_PATH = "RETURNS trigger\nLANGUAGE plpgsql SET search_path = public, pg_temp\n"

_OVERDUE = "\n            AND e.review_due_at < clock_timestamp() AND NOT EXISTS ("
_UNREVIEWED = "\n            AND NOT EXISTS ("


def changed(text: str, replaced: dict[str, str]) -> str:
    """Return a function's text with parts of it replaced, each of which it has exactly once."""
    for old, new in replaced.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


TAKE = changed(_TAKE_BEFORE, {_JOINED: _JOINED_FULLY})
REDEEM = changed(
    _REDEEM_BEFORE,
    {_BEGIN: "    " + _LOCK.format("_token") + _BEGIN, _SHUT: _SHUT + _NOT_ENDED},
)
OUTCOME = changed(_OUTCOME_BEFORE, {_KEEP: _ENDS_UNSPENT + _KEEP})
AGREED = changed(_AGREED_BEFORE, {_GENESIS: _GENESIS_BEFORE_DECISIONS, _ANY_PATH: _ON_PATH})
PROBLEM = changed(_PROBLEM_BEFORE, {_OVERDUE: _UNREVIEWED})

UNDO = """
ALTER FUNCTION sentinel_publication_agreed() RESET search_path;
DROP TRIGGER sentinel_approval_request_answered ON sentinel_approval_request;
DROP FUNCTION sentinel_check_request_state();
DROP TRIGGER sentinel_approval_request_decided ON sentinel_approval_request;
DROP FUNCTION sentinel_check_request();
GRANT UPDATE ON sentinel_approval_request, sentinel_challenge TO frontline_app;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0024_consents")]
    operations = [
        migrations.RunSQL(
            REQUESTS + TAKE + REDEEM + OUTCOME + AGREED + PROBLEM,
            _TAKE_BEFORE
            + _REDEEM_BEFORE
            + _OUTCOME_BEFORE
            + _AGREED_BEFORE
            + _PROBLEM_BEFORE
            + UNDO,
        )
    ]
