"""Decisions and what they rest on: rules, limits, approvals, second factors, redemptions, outcomes.

The application cannot write a redemption. It calls `sentinel_redeem`, which finds the permit it
names, compares everything and lets each permit, approval and challenge count once.
"""

from django.db import migrations

RULES = """
CREATE TABLE sentinel_bundle (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    digest text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    area text COLLATE "C" NOT NULL CHECK (area ~ '^[a-z][a-z_]{0,39}$'),
    content text NOT NULL,
    maker text NOT NULL,
    maker_person text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, digest)
);
CREATE TABLE sentinel_publication (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    area text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    is_genesis boolean NOT NULL,
    maker_person text NOT NULL,
    checker text NOT NULL,
    checker_person text NOT NULL,
    kid text NOT NULL,
    signature bytea NOT NULL,
    effective_from timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, position),
    FOREIGN KEY (entity, digest) REFERENCES sentinel_bundle (entity, digest),
    CHECK (is_genesis OR maker_person <> checker_person)
);
CREATE TABLE sentinel_kill_switch (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    scope text COLLATE "C" NOT NULL,
    is_stopped boolean NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, position)
);
CREATE INDEX sentinel_kill_switch_scope ON sentinel_kill_switch (entity, scope, position DESC);
CREATE TABLE sentinel_limit (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    name text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    cap_minor bigint NOT NULL CHECK (cap_minor >= 0),
    maker_person text NOT NULL,
    checker_person text NOT NULL,
    is_genesis boolean NOT NULL,
    effective_from timestamptz NOT NULL,
    PRIMARY KEY (entity, position),
    CHECK (is_genesis OR maker_person <> checker_person)
);
CREATE INDEX sentinel_limit_holder ON sentinel_limit (entity, holder, currency, name);

SELECT frontline_protect(t::regclass, 'append_only') FROM unnest(ARRAY[
    'sentinel_bundle', 'sentinel_publication', 'sentinel_kill_switch', 'sentinel_limit']) AS t;
"""

DECISIONS = """
CREATE TABLE sentinel_subject_key (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    subject text COLLATE "C" NOT NULL,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    PRIMARY KEY (entity, subject),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TABLE sentinel_decision (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid PRIMARY KEY,
    action_kind text COLLATE "C" NOT NULL,
    verdict text COLLATE "C" NOT NULL
        CHECK (verdict IN ('permit', 'deny', 'needs_approval', 'needs_step_up')),
    principal_id text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    case_id uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    params_hash bytea,
    policies text[] NOT NULL,
    remedy text,
    bundle text NOT NULL,
    audience text,
    expires_at timestamptz,
    approval_id uuid,
    challenge_id uuid,
    record_id uuid NOT NULL,
    decided_at timestamptz NOT NULL,
    CHECK ((verdict = 'permit') = (expires_at IS NOT NULL))
);
CREATE INDEX sentinel_decision_time ON sentinel_decision (entity, decided_at, id);
CREATE INDEX sentinel_decision_subject ON sentinel_decision (entity, subject, decided_at);
CREATE INDEX sentinel_decision_case ON sentinel_decision (entity, case_id);
CREATE INDEX sentinel_decision_expiry ON sentinel_decision (entity, expires_at)
    WHERE expires_at IS NOT NULL;
CREATE TABLE sentinel_decision_parameters (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    decision_id uuid PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL
);
CREATE TABLE sentinel_redemption (
    token uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    action_kind text COLLATE "C" NOT NULL,
    params_hash bytea NOT NULL,
    effect_digest bytea,
    idempotency_key text COLLATE "C" NOT NULL,
    approval_id uuid UNIQUE,
    challenge_id uuid UNIQUE,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    redeemed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The key comes first, so that no plan made for an empty table reads all of an entity's rows.
    UNIQUE (idempotency_key, entity)
);
CREATE TABLE sentinel_outcome (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    decision_id uuid NOT NULL,
    is_final boolean NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('done', 'failed', 'unknown', 'expired')),
    code text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    position text COLLATE "C" NOT NULL,
    words text NOT NULL,
    record_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (decision_id, is_final),
    CHECK (is_final = (kind <> 'unknown'))
);
CREATE TABLE sentinel_sweep (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    swept_until timestamptz NOT NULL
);

SELECT frontline_protect(t::regclass, 'append_only') FROM unnest(ARRAY[
    'sentinel_decision', 'sentinel_decision_parameters', 'sentinel_redemption',
    'sentinel_outcome']) AS t;
SELECT frontline_protect(t::regclass, 'mutable') FROM unnest(ARRAY[
    'sentinel_subject_key', 'sentinel_sweep']) AS t;
REVOKE INSERT ON sentinel_redemption FROM frontline_app;
"""

OBLIGATIONS = """
CREATE TABLE sentinel_usage (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    name text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    day date NOT NULL,
    used_minor bigint NOT NULL CHECK (used_minor >= 0),
    PRIMARY KEY (entity, holder, day, name, currency)
) WITH (fillfactor = 50);
CREATE TABLE sentinel_reservation (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    decision_id uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    day date NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('held', 'settled', 'released'))
) WITH (fillfactor = 70);
CREATE TABLE sentinel_approval_request (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid PRIMARY KEY,
    decision_id uuid NOT NULL,
    case_id uuid NOT NULL,
    action_kind text COLLATE "C" NOT NULL,
    params_hash bytea NOT NULL,
    role text COLLATE "C" NOT NULL,
    policies text[] NOT NULL,
    subject text COLLATE "C" NOT NULL,
    requested_by text COLLATE "C" NOT NULL,
    excluded_ids text[] NOT NULL,
    excluded_persons text[] NOT NULL,
    state text COLLATE "C" NOT NULL
        CHECK (state IN ('open', 'approved', 'rejected', 'returned', 'closed')),
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX sentinel_approval_request_open
    ON sentinel_approval_request (entity, case_id, action_kind, params_hash, role)
    WHERE state = 'open';
CREATE INDEX sentinel_approval_request_case ON sentinel_approval_request (entity, case_id);
CREATE INDEX sentinel_approval_request_role ON sentinel_approval_request (entity, role, opened_at)
    WHERE state = 'open';
CREATE TABLE sentinel_approval (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    request_id uuid PRIMARY KEY REFERENCES sentinel_approval_request (id),
    approver_id text COLLATE "C" NOT NULL,
    approver_person text COLLATE "C" NOT NULL,
    verdict text COLLATE "C" NOT NULL CHECK (verdict IN ('approve', 'reject', 'return')),
    params_hash bytea NOT NULL,
    comment_sealed bytea,
    answered_at timestamptz NOT NULL
);
CREATE TABLE sentinel_factor (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL,
    last_counter bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    failed_at timestamptz,
    enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, principal_id)
);
CREATE TABLE sentinel_challenge (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid PRIMARY KEY,
    decision_id uuid NOT NULL,
    case_id uuid NOT NULL,
    action_kind text COLLATE "C" NOT NULL,
    params_hash bytea NOT NULL,
    principal_id text COLLATE "C" NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    satisfied_at timestamptz
);
CREATE INDEX sentinel_challenge_case ON sentinel_challenge (entity, case_id);
CREATE TABLE sentinel_exemption (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    used_minor bigint NOT NULL,
    used_count integer NOT NULL,
    PRIMARY KEY (entity, principal_id, currency)
);

SELECT frontline_protect('sentinel_approval', 'append_only');
SELECT frontline_protect(t::regclass, 'mutable') FROM unnest(ARRAY[
    'sentinel_usage', 'sentinel_reservation', 'sentinel_approval_request', 'sentinel_factor',
    'sentinel_challenge', 'sentinel_exemption']) AS t;
"""

REDEEM = """
-- The one way a permit is spent. Whatever differs from the permit as it was recorded is refused;
-- the unique indexes decide between two who come at once.
CREATE FUNCTION sentinel_redeem(_token uuid, _action_kind text, _audience text,
    _params_hash bytea, _effect_digest bytea, _idempotency_key text, _scopes text[],
    _epoch bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    d sentinel_decision%ROWTYPE;
BEGIN
    SELECT * INTO d FROM sentinel_decision WHERE id = _token AND verdict = 'permit';
    IF NOT FOUND THEN RETURN 'unknown_decision'; END IF;
    IF d.audience <> _audience THEN RETURN 'wrong_connector'; END IF;
    IF d.action_kind <> _action_kind OR d.params_hash <> _params_hash
        OR d.idempotency_key <> _idempotency_key THEN RETURN 'other_parameters'; END IF;
    IF clock_timestamp() >= d.expires_at THEN RETURN 'expired'; END IF;
    -- One probe of the index for each scope, however many switches were ever set.
    IF EXISTS (SELECT FROM unnest(_scopes) AS asked WHERE _epoch < (
            SELECT max(position) FROM sentinel_kill_switch k
            WHERE k.entity = d.entity AND k.scope = asked)) THEN
        RETURN 'revoked';
    END IF;
    INSERT INTO sentinel_redemption (token, entity, action_kind, params_hash, effect_digest,
            idempotency_key, approval_id, challenge_id)
        VALUES (_token, d.entity, _action_kind, _params_hash, _effect_digest,
            _idempotency_key, d.approval_id, d.challenge_id)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN 'spent'; END IF;
    RETURN 'redeemed';
END $$;
REVOKE ALL ON FUNCTION sentinel_redeem(uuid, text, text, bytea, bytea, text, text[], bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_redeem(uuid, text, text, bytea, bytea, text, text[], bigint)
    TO frontline_app;
"""

UNDO = """
DROP FUNCTION sentinel_redeem(uuid, text, text, bytea, bytea, text, text[], bigint);
DROP TABLE sentinel_exemption, sentinel_challenge, sentinel_factor, sentinel_approval,
    sentinel_approval_request, sentinel_reservation, sentinel_usage, sentinel_sweep,
    sentinel_outcome, sentinel_redemption, sentinel_decision_parameters, sentinel_decision,
    sentinel_subject_key, sentinel_limit, sentinel_kill_switch, sentinel_publication,
    sentinel_bundle;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0002_log")]
    operations = [migrations.RunSQL(RULES + DECISIONS + OBLIGATIONS + REDEEM, UNDO)]
