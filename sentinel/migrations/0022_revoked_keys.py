"""Keys that may have been stolen: what they sign from then on counts for nothing.

A token says its own epoch, so that whoever holds the key could say a high one: a token under a
revoked key is refused whatever it says. A rule or a checkpoint counts under a revoked key only up
to where the bank had come when the key was revoked.
"""

from importlib import import_module

from django.db import migrations

_REVOKED_BEFORE = import_module("sentinel.migrations.0009_stopped_rules").SWITCHES.partition(
    "-- One after the other"
)[0]

KEYS = r"""
-- `mark` is how far the bank had come: the last publication, the size of the log, or the epoch.
CREATE TABLE sentinel_revoked_key (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    kid text COLLATE "C" NOT NULL CHECK (kid ~ '^[A-Za-z0-9_-]{43}$'),
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('token', 'log', 'policy', 'witness')),
    public_bytes bytea NOT NULL CHECK (length(public_bytes) = 32),
    mark bigint NOT NULL,
    suspected_at timestamptz NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, kid)
);
SELECT frontline_protect('sentinel_revoked_key', 'read_only');

-- For the owner. The tree's row is locked first: whoever signs under the old key has ended by then.
CREATE FUNCTION sentinel_revoke_key(_purpose text, _kid text, _public bytea,
    _suspected timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    _size bigint;
    _mark bigint;
BEGIN
    SELECT size INTO _size FROM sentinel_tree WHERE entity = frontline_entity() FOR UPDATE;
    IF _purpose = 'token' THEN
        INSERT INTO sentinel_kill_switch (scope, is_stopped, reason, set_by)
        VALUES ('kid:' || _kid, true, 'the key may have been stolen', 'system:installation')
        RETURNING position INTO _mark;
    ELSIF _purpose = 'policy' THEN
        SELECT coalesce(max(position), 0) INTO _mark FROM sentinel_publication
        WHERE entity = frontline_entity();
    ELSE
        _mark := coalesce(_size, 0);
    END IF;
    INSERT INTO sentinel_revoked_key (kid, purpose, public_bytes, mark, suspected_at)
    VALUES (_kid, _purpose, _public, _mark, _suspected);
    PERFORM sentinel_append_own('key_revoked', format(
        '{"kid":"%s","mark":%s,"purpose":"%s","suspected_at":"%s"}', _kid, _mark, _purpose,
        to_char(_suspected AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
    RETURN _mark;
END $$;
REVOKE ALL ON FUNCTION sentinel_revoke_key(text, text, bytea, timestamptz) FROM PUBLIC;
"""

REVOKED = _REVOKED_BEFORE.replace(
    "    SELECT _epoch < coalesce(",
    "    SELECT EXISTS (SELECT FROM sentinel_revoked_key k\n"
    "            WHERE k.entity = _entity AND 'kid:' || k.kid = ANY (_scopes))\n"
    "        OR _epoch < coalesce(",
)
assert REVOKED.count("sentinel_revoked_key") == 1, "the function it stands in was written anew"

UNDO = r"""
DROP FUNCTION sentinel_revoke_key(text, text, bytea, timestamptz);
DROP TABLE sentinel_revoked_key;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0021_gate")]
    operations = [migrations.RunSQL(KEYS + REVOKED, _REVOKED_BEFORE + UNDO)]
