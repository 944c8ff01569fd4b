"""What was done and read before in a case, and by an agent of late, for policies to see.

A case's permitted kinds are in the decisions themselves: the index that finds them is walked from
kind to kind, however many decisions there are. Agents and reads leave a mark for each holder and
kind, so that there are never more marks than kinds; the application cannot take one away.
"""

from django.db import migrations

TRACE = """
DROP INDEX sentinel_decision_case;
CREATE INDEX sentinel_decision_case ON sentinel_decision (entity, case_id, verdict, action_kind);

CREATE TABLE sentinel_trace (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    holder text COLLATE "C" NOT NULL CHECK (holder ~ '^(case|actor):[A-Za-z0-9:_.-]{1,120}$'),
    what text COLLATE "C" NOT NULL CHECK (what ~ '^(action|data):[a-z][a-z0-9_.]{0,79}$'),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (holder, what, entity)
);
SELECT frontline_protect('sentinel_trace', 'read_only');

-- A mark of the last minute is left alone: an agent in many conversations must not wait for itself.
CREATE FUNCTION sentinel_keep_trace(_holders text[], _marks text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO sentinel_trace (holder, what)
    SELECT h, w FROM unnest(_holders) AS h CROSS JOIN unnest(_marks) AS w
    WHERE NOT EXISTS (SELECT FROM sentinel_trace t WHERE t.holder = h AND t.what = w
        AND t.at > clock_timestamp() - interval '1 minute')
    ORDER BY h, w
    ON CONFLICT (holder, what, entity) DO UPDATE SET at = excluded.at;
END $$;
REVOKE ALL ON FUNCTION sentinel_keep_trace(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_keep_trace(text[], text[]) TO frontline_app;
"""

EARLIER = """
CREATE FUNCTION sentinel_earlier(_case uuid, _agents text, _seconds integer) RETURNS text
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN (
    WITH RECURSIVE kinds (kind) AS (
        (SELECT action_kind FROM sentinel_decision
          WHERE entity = frontline_entity() AND case_id = _case AND verdict = 'permit'
          ORDER BY action_kind LIMIT 1)
      UNION ALL
        SELECT (SELECT d.action_kind FROM sentinel_decision d
          WHERE d.entity = frontline_entity() AND d.case_id = _case AND d.verdict = 'permit'
            AND d.action_kind > k.kind ORDER BY d.action_kind LIMIT 1)
        FROM kinds k WHERE k.kind IS NOT NULL
    )
    SELECT coalesce(string_agg(DISTINCT marked.what, ' '), '') FROM (
        SELECT 'action:' || kind AS what FROM kinds WHERE kind IS NOT NULL
      UNION ALL
        SELECT what FROM sentinel_trace WHERE holder = 'case:' || _case::text
      UNION ALL
        SELECT t.what FROM unnest(string_to_array(_agents, ' ')) AS agent
        JOIN sentinel_trace t ON t.holder = 'actor:' || agent
            AND t.at > clock_timestamp() - make_interval(secs => _seconds)
    ) marked);
END $$;
REVOKE ALL ON FUNCTION sentinel_earlier(uuid, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_earlier(uuid, text, integer) TO frontline_app;
"""

UNDO = """
DROP FUNCTION sentinel_earlier(uuid, text, integer);
DROP FUNCTION sentinel_keep_trace(text[], text[]);
DROP TABLE sentinel_trace;
DROP INDEX sentinel_decision_case;
CREATE INDEX sentinel_decision_case ON sentinel_decision (entity, case_id);
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0014_dimensions")]
    operations = [migrations.RunSQL(TRACE + EARLIER, UNDO)]
