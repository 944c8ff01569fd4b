"""What the application may no longer write by itself, and what a failed action gives back."""

from django.db import migrations

EXEMPTIONS = """
-- Which decision used an exemption, and in which series: a second factor begins a new one.
ALTER TABLE sentinel_exemption ADD COLUMN series bigint NOT NULL DEFAULT 0;
CREATE TABLE sentinel_exemption_use (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    decision_id uuid PRIMARY KEY,
    principal_id text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    series bigint NOT NULL
);
SELECT frontline_protect('sentinel_exemption_use', 'append_only');

-- A decision has one final outcome, so this is given back once; what a second factor has set to
-- nothing since is of an earlier series and stays as it is.
CREATE FUNCTION sentinel_return_exemption() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE sentinel_exemption x
    SET used_minor = x.used_minor - u.amount_minor, used_count = x.used_count - 1
    FROM sentinel_exemption_use u
    WHERE u.decision_id = NEW.decision_id AND x.principal_id = u.principal_id
        AND x.currency = u.currency AND x.series = u.series;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION sentinel_return_exemption() FROM PUBLIC;
CREATE TRIGGER sentinel_outcome_returns_exemption AFTER INSERT ON sentinel_outcome
    FOR EACH ROW WHEN (NEW.is_final AND NEW.kind IN ('failed', 'expired'))
    EXECUTE FUNCTION sentinel_return_exemption();
"""

GOVERNING = """
REVOKE INSERT ON sentinel_limit, sentinel_kill_switch FROM frontline_app;

-- Who proposed a redeemed change and which other person approved it; no row without a redemption
-- of exactly this effect in this very transaction. Not for the application.
CREATE FUNCTION sentinel_take_change(_token uuid, _kind text, _effect text,
    OUT principal_id text, OUT maker text, OUT checker text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT d.principal_id, q.excluded_persons[1], a.approver_person
    FROM sentinel_redemption r
    JOIN sentinel_decision d ON d.id = r.token
    LEFT JOIN sentinel_approval a ON a.request_id = r.approval_id AND a.verdict = 'approve'
    LEFT JOIN sentinel_approval_request q ON q.id = a.request_id
    WHERE r.token = _token AND r.entity = frontline_entity() AND r.action_kind = _kind
        AND r.xact = pg_current_xact_id()
        AND r.effect_digest = sha256(convert_to(_effect, 'UTF8'))
$$;

CREATE FUNCTION sentinel_write_limit(_token uuid, _name text, _holder text, _currency text,
    _cap bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
BEGIN
    SELECT * INTO c FROM sentinel_take_change(_token, 'limits.set',
        format('limit/v1|%s|%s|%s|%s', _name, _holder, _currency, _cap));
    IF c.checker IS NULL OR c.maker IS NULL OR c.maker = c.checker THEN RETURN false; END IF;
    INSERT INTO sentinel_limit (name, holder, currency, cap_minor, maker_person, checker_person,
        is_genesis, effective_from)
    VALUES (_name, _holder, _currency, _cap, c.maker, c.checker, false, clock_timestamp());
    RETURN true;
END $$;

-- Stopping takes one person; letting go on takes two.
CREATE FUNCTION sentinel_write_kill_switch(_token uuid, _word text, _scope text, _reason text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c record;
BEGIN
    SELECT * INTO c FROM sentinel_take_change(_token, 'kill_switch.' || _word,
        format('kill_switch/v1|%s|%s|%s', _word, _scope, _reason));
    IF c.principal_id IS NULL OR _word NOT IN ('throw', 'release') THEN RETURN false; END IF;
    IF _word = 'release'
        AND (c.checker IS NULL OR c.maker IS NULL OR c.maker = c.checker) THEN
        RETURN false;
    END IF;
    INSERT INTO sentinel_kill_switch (scope, is_stopped, reason, set_by)
    VALUES (_scope, _word = 'throw', _reason, c.principal_id);
    RETURN true;
END $$;

-- The limits of a genesis: after its record, before the first decision, each once.
CREATE FUNCTION sentinel_write_first_limit(_name text, _currency text, _cap bigint,
    _from timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sentinel_record
            WHERE entity = frontline_entity() AND kind = 'genesis')
        OR EXISTS (SELECT FROM sentinel_decision)
        OR EXISTS (SELECT FROM sentinel_limit l WHERE l.name = _name AND l.currency = _currency)
    THEN
        RAISE EXCEPTION 'the genesis of this legal entity is over' USING ERRCODE = 'FL006';
    END IF;
    INSERT INTO sentinel_limit (name, holder, currency, cap_minor, maker_person, checker_person,
        is_genesis, effective_from)
    VALUES (_name, '*', _currency, _cap, 'genesis', 'genesis', true, _from);
END $$;
REVOKE ALL ON FUNCTION sentinel_take_change(uuid, text, text),
    sentinel_write_limit(uuid, text, text, text, bigint),
    sentinel_write_kill_switch(uuid, text, text, text),
    sentinel_write_first_limit(text, text, bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_write_limit(uuid, text, text, text, bigint),
    sentinel_write_kill_switch(uuid, text, text, text),
    sentinel_write_first_limit(text, text, bigint, timestamptz) TO frontline_app;
"""

UNDO = """
DROP FUNCTION sentinel_write_first_limit(text, text, bigint, timestamptz);
DROP FUNCTION sentinel_write_kill_switch(uuid, text, text, text);
DROP FUNCTION sentinel_write_limit(uuid, text, text, text, bigint);
DROP FUNCTION sentinel_take_change(uuid, text, text);
GRANT INSERT ON sentinel_limit, sentinel_kill_switch TO frontline_app;
DROP TRIGGER sentinel_outcome_returns_exemption ON sentinel_outcome;
DROP FUNCTION sentinel_return_exemption();
DROP TABLE sentinel_exemption_use;
ALTER TABLE sentinel_exemption DROP COLUMN series;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0006_fast_path")]
    operations = [migrations.RunSQL(EXEMPTIONS + GOVERNING, UNDO)]
