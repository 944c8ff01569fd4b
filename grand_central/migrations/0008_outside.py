"""Calls to systems outside: begun beside a redemption, made under a lease, ended once."""

from django.db import migrations

TABLES = """
-- One redeemed call to a system outside. `fence` tells who may write what came of it; a request
-- that reaches the other system after `valid_until` is refused there.
CREATE TABLE gc_outside (
    token uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    action_kind text COLLATE "C" NOT NULL,
    effect_digest bytea NOT NULL,
    state text COLLATE "C" NOT NULL
        CHECK (state IN ('begun', 'sending', 'not_sent', 'unknown', 'done', 'refused', 'not_done')),
    fence bigint NOT NULL DEFAULT 0,
    sends integer NOT NULL DEFAULT 0,
    asks integer NOT NULL DEFAULT 0,
    code text COLLATE "C" NOT NULL DEFAULT '',
    reference text COLLATE "C" NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz,
    valid_until timestamptz,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'refused', 'not_done')))
) WITH (fillfactor = 70);
CREATE INDEX gc_outside_due ON gc_outside (entity, due_at) WHERE ended_at IS NULL;
SELECT frontline_protect('gc_outside', 'read_only');

-- The journal of those calls: what was tried when, by which token, with what end.
CREATE TABLE gc_outside_line (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    token uuid NOT NULL REFERENCES gc_outside,
    fence bigint NOT NULL,
    what text COLLATE "C" NOT NULL,
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX gc_outside_line_token ON gc_outside_line (token, position);
SELECT frontline_protect('gc_outside_line', 'read_only');
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON gc_outside_line
    FOR EACH ROW EXECUTE FUNCTION frontline_append_only();
"""

FUNCTIONS = """
-- Keep the intent, beside the redemption and only there.
CREATE FUNCTION gc_outside_begin(p_token uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO gc_outside (token, action_kind, effect_digest, state)
    SELECT r.token, r.action_kind, r.effect_digest, 'begun' FROM sentinel_redemption r
    WHERE r.token = p_token AND r.entity = frontline_entity()
        AND r.xact = pg_current_xact_id() AND r.effect_digest IS NOT NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO gc_outside_line (token, fence, what) VALUES (p_token, 0, 'begun');
    RETURN true;
END $$;

-- Take a call for a while and say what is to be done with it: send it, or ask what became of it.
-- A request whose sender went away may be on its way still, so it is asked for, never sent again.
CREATE FUNCTION gc_outside_claim(p_token uuid, p_effect_digest bytea, p_lease_seconds integer,
    p_valid_seconds integer)
RETURNS TABLE (task text, fence bigint, sends integer, asks integer, valid_until timestamptz,
    begun_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c gc_outside;
BEGIN
    SELECT * INTO c FROM gc_outside o
    WHERE o.token = p_token AND o.entity = frontline_entity() AND o.ended_at IS NULL
        AND o.due_at <= clock_timestamp()
        AND coalesce(o.lease_until, '-infinity') < clock_timestamp()
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    task := CASE WHEN c.state IN ('begun', 'not_sent') THEN 'send' ELSE 'ask' END;
    -- Only whoever holds the very parameters that were permitted may send.
    IF task = 'send' AND p_effect_digest IS DISTINCT FROM c.effect_digest THEN RETURN; END IF;
    UPDATE gc_outside o SET
        fence = o.fence + 1,
        state = CASE task WHEN 'send' THEN 'sending' ELSE 'unknown' END,
        sends = o.sends + (task = 'send')::integer,
        asks = CASE task WHEN 'send' THEN 0 ELSE o.asks + 1 END,
        lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
        valid_until = CASE task WHEN 'send'
            THEN clock_timestamp() + make_interval(secs => p_valid_seconds)
            ELSE o.valid_until END
    WHERE o.token = p_token
    RETURNING o.fence, o.sends, o.asks, o.valid_until, o.begun_at
    INTO fence, sends, asks, valid_until, begun_at;
    INSERT INTO gc_outside_line (token, fence, what)
    VALUES (p_token, gc_outside_claim.fence, task);
    RETURN NEXT;
END $$;

-- Write what came of it, unless somebody else has taken the call meanwhile.
CREATE FUNCTION gc_outside_note(p_token uuid, p_fence bigint, p_state text, p_what text,
    p_code text, p_reference text, p_due_seconds double precision) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_is_end boolean := p_state IN ('done', 'refused', 'not_done');
BEGIN
    UPDATE gc_outside SET state = p_state, code = p_code, reference = p_reference,
        lease_until = NULL, due_at = clock_timestamp() + make_interval(secs => p_due_seconds),
        ended_at = CASE WHEN v_is_end THEN clock_timestamp() END
    WHERE token = p_token AND entity = frontline_entity() AND fence = p_fence
        AND ended_at IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO gc_outside_line (token, fence, what, detail)
    VALUES (p_token, p_fence, p_what, p_code);
    IF p_state = 'done' THEN
        PERFORM gc_state_execution(p_token, p_code, p_reference, '');
    END IF;
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION gc_outside_begin(uuid),
    gc_outside_claim(uuid, bytea, integer, integer),
    gc_outside_note(uuid, bigint, text, text, text, text, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gc_outside_begin(uuid),
    gc_outside_claim(uuid, bytea, integer, integer),
    gc_outside_note(uuid, bigint, text, text, text, text, double precision) TO frontline_app;
"""

UNDO = """
DROP FUNCTION gc_outside_note(uuid, bigint, text, text, text, text, double precision);
DROP FUNCTION gc_outside_claim(uuid, bytea, integer, integer);
DROP FUNCTION gc_outside_begin(uuid);
DROP TABLE gc_outside_line, gc_outside;
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0007_fast_path")]
    operations = [migrations.RunSQL(TABLES + FUNCTIONS, UNDO)]
