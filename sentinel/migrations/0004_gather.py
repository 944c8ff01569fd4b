"""Everything a decision looks up, as one function: planned once, answered as one JSON text.

It runs with the caller's rights, so row-level security holds. The lock comes first, in a
statement of its own: what is read after it includes whoever held it before.
"""

from django.db import migrations

GATHER = """
CREATE FUNCTION sentinel_gather(_is_serial boolean, _at timestamptz, _scopes text, _subject text,
    _holder text, _customer text, _currency text, _day date, _limit text, _key text, _case uuid,
    _kind text) RETURNS text
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  IF _is_serial THEN
    PERFORM pg_advisory_xact_lock(
        hashtextextended(frontline_entity() || '|' || _subject, 7));
  END IF;
  RETURN (SELECT json_build_object(
    'now', clock_timestamp(),
    'publications', (SELECT coalesce(max(position), 0) || ':' || count(*)
      FROM sentinel_publication WHERE effective_from <= _at),
    'switches', (SELECT json_build_array(coalesce(max(k.position), 0),
        array_agg(k.scope) FILTER (WHERE k.is_stopped))
      FROM unnest(string_to_array(_scopes, ' ')) asked CROSS JOIN LATERAL (
        SELECT position, scope, is_stopped FROM sentinel_kill_switch
        WHERE scope = asked ORDER BY position DESC LIMIT 1) k),
    'key', (SELECT coalesce(encode(wrapped, 'hex'), '') FROM sentinel_subject_key
      WHERE subject = _subject),
    'caps', (SELECT json_object_agg(l.name, l.cap_minor) FROM (
        SELECT DISTINCT ON (name) name, cap_minor FROM sentinel_limit
        WHERE holder IN ('*', _holder) AND currency = _currency AND effective_from <= _at
        ORDER BY name, (holder = '*'), position DESC) l),
    'used', (SELECT used_minor FROM sentinel_usage WHERE holder = _holder AND day = _day
      AND name = _limit AND currency = _currency),
    'spent', (SELECT json_build_object('token', r.token, 'kind', r.action_kind,
        'params', encode(r.params_hash, 'hex'), 'outcome', (
          SELECT json_build_object('kind', o.kind, 'code', o.code, 'reference', o.reference,
            'position', o.position, 'words', o.words, 'at', o.recorded_at)
          FROM sentinel_outcome o WHERE o.decision_id = r.token
          ORDER BY o.is_final DESC LIMIT 1))
      FROM sentinel_redemption r WHERE r.idempotency_key = _key),
    'approvals', (SELECT json_agg(json_build_object('id', a.id, 'role', a.role,
        'state', a.state, 'params', encode(a.params_hash, 'hex'), 'expires', a.expires_at))
      FROM sentinel_approval_request a
      WHERE a.case_id = _case AND a.action_kind = _kind
      AND a.state IN ('open', 'approved', 'rejected')
      AND NOT EXISTS (SELECT FROM sentinel_redemption s WHERE s.approval_id = a.id)),
    'challenges', (SELECT json_agg(json_build_object('id', c.id,
        'params', encode(c.params_hash, 'hex'), 'attempts', c.attempts,
        'expires', c.expires_at, 'satisfied', c.satisfied_at))
      FROM sentinel_challenge c
      WHERE c.case_id = _case AND c.action_kind = _kind AND c.principal_id = _customer
      AND NOT EXISTS (SELECT FROM sentinel_redemption s WHERE s.challenge_id = c.id)),
    'exempted', (SELECT json_build_array(used_minor, used_count) FROM sentinel_exemption
      WHERE principal_id = _customer AND currency = _currency),
    -- Not a join: the plan is kept from when the tables were empty, and would read all of both.
    'pending', (SELECT r.recorded_at FROM sentinel_record r WHERE r.id = (
        SELECT p.record_id FROM sentinel_pending p ORDER BY p.seq LIMIT 1))
  )::text);
END $$;
REVOKE ALL ON FUNCTION sentinel_gather(boolean, timestamptz, text, text, text, text, text, date,
    text, text, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_gather(boolean, timestamptz, text, text, text, text, text, date,
    text, text, uuid, text) TO frontline_app;
"""

UNDO = """
DROP FUNCTION sentinel_gather(boolean, timestamptz, text, text, text, text, text, date, text, text,
    uuid, text);
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0003_authority")]
    operations = [migrations.RunSQL(GATHER, UNDO)]
