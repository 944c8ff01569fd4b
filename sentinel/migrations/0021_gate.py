"""After a restore the gate is shut: nothing is permitted or spent until it is opened again.

The application reads the gate and cannot move it. The owner opens it, beside two records in the
log: one says from where the log goes on and what of it was lost, one that the gate was opened.
"""

from importlib import import_module

from django.db import migrations

_REDEEM = import_module("sentinel.migrations.0020_emergencies").redeem()
_RESTORED = import_module("sentinel.migrations.0008_restored").RESTORED

GATE = r"""
-- One restore of one legal entity. Every permit from before it has an epoch below `epoch`; `size`
-- is how many records the log had. `witnessed_size` is what was kept elsewhere, as far as known.
CREATE TABLE sentinel_gate (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    backup uuid NOT NULL,
    shut_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch bigint NOT NULL,
    size bigint NOT NULL,
    continued_at timestamptz,
    witnessed_size bigint,
    opened_at timestamptz,
    PRIMARY KEY (entity, position),
    CHECK (opened_at IS NULL OR continued_at IS NOT NULL)
);
CREATE UNIQUE INDEX sentinel_gate_shut ON sentinel_gate (entity) WHERE opened_at IS NULL;
SELECT frontline_protect('sentinel_gate', 'read_only');

-- Stopping, and letting go on what was stopped, goes on while the gate is shut.
CREATE FUNCTION sentinel_is_shut(_entity text, _kind text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT NOT starts_with(_kind, 'kill_switch.') AND EXISTS (
        SELECT FROM sentinel_gate g WHERE g.entity = _entity AND g.opened_at IS NULL)
$$;
REVOKE ALL ON FUNCTION sentinel_is_shut(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sentinel_is_shut(text, text) TO frontline_app;

-- A record of the installation itself; the words are canonical JSON, their names in order.
CREATE FUNCTION sentinel_append_own(_kind text, _content text) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    _record uuid := gen_random_uuid();
BEGIN
    RETURN sentinel_append(convert_to(format(
        '{"case_id":null,"content":%s,"decision_id":null,"entity":"%s","id":"%s","kind":"%s",'
        '"v":1}', _content, frontline_entity(), _record, _kind), 'UTF8'));
END $$;

-- Say in the log from where it goes on: what was witnessed elsewhere, and what of that is lost.
CREATE FUNCTION sentinel_continue_log(_witnessed bigint, _root text, _is_lost boolean,
    _reason text) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    g sentinel_gate;
BEGIN
    SELECT * INTO g FROM sentinel_gate
    WHERE entity = frontline_entity() AND opened_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'the gate is not shut' USING ERRCODE = 'FL020'; END IF;
    IF g.continued_at IS NOT NULL THEN
        RAISE EXCEPTION 'the log was continued already' USING ERRCODE = 'FL020';
    END IF;
    IF _is_lost AND _witnessed <= g.size THEN
        RAISE EXCEPTION 'nothing behind the restore was witnessed' USING ERRCODE = 'FL020';
    END IF;
    IF (_witnessed IS NULL OR _is_lost) AND length(_reason) NOT BETWEEN 10 AND 500 THEN
        RAISE EXCEPTION 'say why in 10 to 500 characters' USING ERRCODE = 'FL020';
    END IF;
    UPDATE sentinel_gate SET continued_at = clock_timestamp(), witnessed_size = _witnessed
    WHERE entity = g.entity AND position = g.position;
    RETURN sentinel_append_own('log_continued', format(
        '{"backup":"%s","lost":%s,"reason":%s,"size":%s,"witnessed":%s}', g.backup,
        CASE WHEN _is_lost THEN format('{"first":%s,"last":%s}', g.size, _witnessed - 1)
            ELSE 'null' END,
        to_json(_reason), g.size,
        CASE WHEN _witnessed IS NULL THEN 'null'
            ELSE format('{"root":%s,"size":%s}', to_json(_root), _witnessed) END));
END $$;

-- Open it: the epoch has risen and the log was continued; `_compared` names the comparison with
-- the cores' statements that was made since.
CREATE FUNCTION sentinel_open_gate(_compared uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    g sentinel_gate;
BEGIN
    SELECT * INTO g FROM sentinel_gate
    WHERE entity = frontline_entity() AND opened_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'the gate is not shut' USING ERRCODE = 'FL020'; END IF;
    IF g.continued_at IS NULL OR _compared IS NULL OR g.epoch > coalesce((
        SELECT max(position) FROM sentinel_kill_switch
        WHERE entity = g.entity AND scope = 'all'), 0)
    THEN
        RAISE EXCEPTION 'something is missing before the gate can be opened'
            USING ERRCODE = 'FL020';
    END IF;
    UPDATE sentinel_gate SET opened_at = clock_timestamp()
    WHERE entity = g.entity AND position = g.position;
    RETURN sentinel_append_own('gate_opened', format(
        '{"backup":"%s","compared":"%s","epoch":%s}', g.backup, _compared, g.epoch));
END $$;
REVOKE ALL ON FUNCTION sentinel_append_own(text, text),
    sentinel_continue_log(bigint, text, boolean, text), sentinel_open_gate(uuid) FROM PUBLIC;
"""

RESTORED = r"""
-- For the owner, once, right after a backup was put back. Permits given before it, and those given
-- in what was lost, may have been spent there: the epoch goes on by more than anybody can have
-- turned switches in what was lost, and the gate is shut.
CREATE OR REPLACE FUNCTION sentinel_after_restore(_backup uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    e text;
    _epoch bigint := 1000000 + nextval(pg_get_serial_sequence('sentinel_kill_switch', 'position'));
    _size bigint;
BEGIN
    PERFORM setval(pg_get_serial_sequence('sentinel_kill_switch', 'position'), _epoch, false);
    FOR e IN SELECT entity FROM frontline_legal_entities() LOOP
        PERFORM set_config('frontline.entity', e, true);
        INSERT INTO sentinel_kill_switch (scope, is_stopped, reason, set_by)
        VALUES ('all', coalesce((SELECT k.is_stopped FROM sentinel_kill_switch k
                WHERE k.scope = 'all' ORDER BY k.position DESC LIMIT 1), false),
            'permits from before the restore end', 'system:installation');
        _size := coalesce((SELECT size FROM sentinel_tree t WHERE t.entity = e), 0);
        INSERT INTO sentinel_gate (backup, epoch, size) VALUES (_backup, _epoch, _size)
        ON CONFLICT (entity) WHERE opened_at IS NULL DO UPDATE SET backup = excluded.backup,
            shut_at = excluded.shut_at, epoch = excluded.epoch, size = excluded.size,
            continued_at = NULL, witnessed_size = NULL;
        PERFORM sentinel_append_own('restored', format('{"backup":"%s"}', _backup));
    END LOOP;
    PERFORM set_config('frontline.entity', '', true);
END $$;
"""

REDEEM = _REDEEM.replace(
    "        AND NOT sentinel_is_revoked(p.entity, _scopes, _epoch)\n",
    "        AND NOT sentinel_is_revoked(p.entity, _scopes, _epoch)\n"
    "        AND NOT sentinel_is_shut(p.entity, p.action_kind)\n",
).replace(
    "        ELSE 'spent'\n",
    "        WHEN sentinel_is_shut(d.entity, d.action_kind) THEN 'gate_shut'\n"
    "        ELSE 'spent'\n",
)

assert REDEEM.count("sentinel_is_shut") == 2, "the function it stands in was written anew"

UNDO = r"""
DROP FUNCTION sentinel_open_gate(uuid);
DROP FUNCTION sentinel_continue_log(bigint, text, boolean, text);
DROP FUNCTION sentinel_append_own(text, text);
DROP FUNCTION sentinel_is_shut(text, text);
DROP TABLE sentinel_gate;
"""


def _as_before() -> str:
    before = _RESTORED.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    return _REDEEM + before + UNDO


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0020_emergencies")]
    operations = [migrations.RunSQL(GATE + RESTORED + REDEEM, _as_before())]
