"""The fast path in fewer statements: what was asked one by one is asked by the statement that writes.

Nothing is decided otherwise than before. A permit is spent by one insert that finds it, compares
everything and looks at the kill switches; only what it refuses is asked again, to say why.
"""

from importlib import import_module

from django.db import migrations

TABLES = """
-- A body is 2 to 3 kB of ids and hashes: compressing it costs more than writing it.
ALTER TABLE sentinel_record SET (toast_tuple_target = 8160);
-- Most permits rest on no approval and no second factor, and need no entry that says so.
ALTER TABLE sentinel_redemption DROP CONSTRAINT sentinel_redemption_approval_id_key;
ALTER TABLE sentinel_redemption DROP CONSTRAINT sentinel_redemption_challenge_id_key;
CREATE UNIQUE INDEX sentinel_redemption_approval ON sentinel_redemption (approval_id)
    WHERE approval_id IS NOT NULL;
CREATE UNIQUE INDEX sentinel_redemption_challenge ON sentinel_redemption (challenge_id)
    WHERE challenge_id IS NOT NULL;
"""

REDEEM = """
-- The one way a permit is spent. Whatever differs from the permit as it was recorded is refused;
-- the unique indexes decide between two who come at once.
CREATE OR REPLACE FUNCTION sentinel_redeem(_token uuid, _action_kind text, _audience text,
    _params_hash bytea, _effect_digest bytea, _idempotency_key text, _scopes text[],
    _epoch bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    d sentinel_decision%ROWTYPE;
BEGIN
    INSERT INTO sentinel_redemption (token, entity, action_kind, params_hash, effect_digest,
        idempotency_key, approval_id, challenge_id)
    SELECT p.id, p.entity, p.action_kind, p.params_hash, _effect_digest, p.idempotency_key,
        p.approval_id, p.challenge_id
    FROM sentinel_decision p
    WHERE p.id = _token AND p.verdict = 'permit' AND p.audience = _audience
        AND p.action_kind = _action_kind AND p.params_hash = _params_hash
        AND p.idempotency_key = _idempotency_key AND clock_timestamp() < p.expires_at
        AND NOT sentinel_is_revoked(p.entity, _scopes, _epoch)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN RETURN 'redeemed'; END IF;
    SELECT * INTO d FROM sentinel_decision WHERE id = _token AND verdict = 'permit';
    RETURN CASE
        WHEN d.id IS NULL THEN 'unknown_decision'
        WHEN d.audience IS DISTINCT FROM _audience THEN 'wrong_connector'
        WHEN (d.action_kind, d.params_hash, d.idempotency_key)
            IS DISTINCT FROM (_action_kind, _params_hash, _idempotency_key)
            THEN 'other_parameters'
        WHEN clock_timestamp() >= d.expires_at THEN 'expired'
        WHEN sentinel_is_revoked(d.entity, _scopes, _epoch) THEN 'revoked'
        ELSE 'spent'
    END;
END $$;
"""

REVOKED = """
-- One probe of the index for each scope, however many switches were ever set.
CREATE FUNCTION sentinel_is_revoked(_entity text, _scopes text[], _epoch bigint) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (SELECT FROM unnest(_scopes) AS asked WHERE _epoch < (
        SELECT max(position) FROM sentinel_kill_switch k
        WHERE k.entity = _entity AND k.scope = asked))
$$;
REVOKE ALL ON FUNCTION sentinel_is_revoked(text, text[], bigint) FROM PUBLIC;
"""

APPEND = r"""
-- The columns are read out of the body and the clock is the database's, so that a record
-- cannot contradict its own columns and nobody can date it back.
CREATE OR REPLACE FUNCTION sentinel_append(_body bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    content jsonb := convert_from(_body, 'UTF8')::jsonb;
    _entity text := frontline_entity();
    _id uuid := (content ->> 'id')::uuid;
    _at timestamptz := clock_timestamp();
    _leaf bytea := sha256('\000frontline/record/v1\000'::bytea
        || int8send((extract(epoch FROM _at) * 1000000)::bigint) || _body);
BEGIN
    IF (content ->> 'entity') IS DISTINCT FROM _entity THEN
        RAISE EXCEPTION 'record belongs to another legal entity' USING ERRCODE = 'FL002';
    END IF;
    WITH written AS (
        INSERT INTO sentinel_record
            (id, entity, kind, decision_id, case_id, body, leaf, recorded_at)
        VALUES (_id, _entity, content ->> 'kind', (content ->> 'decision_id')::uuid,
            (content ->> 'case_id')::uuid, _body, _leaf, _at)
    )
    INSERT INTO sentinel_pending (entity, record_id, leaf) VALUES (_entity, _id, _leaf);
    RETURN _id;
END $$;
"""

OUTCOME = """
-- Returns when it was recorded, or nothing if there is no such permit, it was not redeemed, or it
-- has ended already: then nothing is written.
CREATE OR REPLACE FUNCTION sentinel_record_outcome(_decision uuid, _kind text, _code text,
    _reference text, _position text, _words text, _record uuid, _body bytea) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    _is_final boolean := _kind <> 'unknown';
    _state text := CASE _kind WHEN 'done' THEN 'settled' ELSE 'released' END;
    _at timestamptz;
    _held sentinel_reservation%ROWTYPE;
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
        UPDATE sentinel_reservation SET state = _state
            WHERE decision_id = _decision AND state = 'held' RETURNING * INTO _held;
        IF FOUND AND _state = 'released' THEN
            UPDATE sentinel_usage SET used_minor = used_minor - _held.amount_minor
                WHERE name = _held.name AND holder = _held.holder
                AND currency = _held.currency AND day = _held.day;
        END IF;
    END IF;
    PERFORM sentinel_append(_body);
    RETURN _at;
END $$;
"""

_REDEMPTIONS_AS_BEFORE = """
DROP INDEX sentinel_redemption_approval, sentinel_redemption_challenge;
ALTER TABLE sentinel_redemption ADD CONSTRAINT sentinel_redemption_approval_id_key
    UNIQUE (approval_id);
ALTER TABLE sentinel_redemption ADD CONSTRAINT sentinel_redemption_challenge_id_key
    UNIQUE (challenge_id);
ALTER TABLE sentinel_record RESET (toast_tuple_target);
"""


def _as_before() -> str:
    """Return the statements that put the functions back as the earlier migrations made them."""
    log = import_module("sentinel.migrations.0002_log").RECORDS
    authority = import_module("sentinel.migrations.0003_authority").REDEEM
    outcome = import_module("sentinel.migrations.0005_outcome").OUTCOME
    made = (
        authority.partition("REVOKE ALL")[0],
        "CREATE FUNCTION sentinel_append" + log.partition("CREATE FUNCTION sentinel_append")[2],
        outcome.partition("-- The same for an effect")[0],
    )
    restored = "".join(made).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    dropped = "DROP FUNCTION sentinel_is_revoked(text, text[], bigint);"
    return restored + dropped + _REDEMPTIONS_AS_BEFORE


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0005_outcome")]
    operations = [migrations.RunSQL(TABLES + REVOKED + REDEEM + APPEND + OUTCOME, _as_before())]
