"""Claims, queues, large values and timers of the durable engine."""

from django.db import migrations

CLAIMS = """
-- Timers stand in the state; what is due next stands in `orch_ready`, one narrow row an instance.
ALTER TABLE orch_instance
    ADD COLUMN queue text COLLATE "C" NOT NULL DEFAULT 'default',
    ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1 AND 2),
    ADD COLUMN bindings text;
CREATE INDEX orch_instance_parent ON orch_instance (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE orch_inbox ADD COLUMN bus_id uuid;

-- How much of a queue may be in hand at once (NULL: no cap), and its share when all are busy.
CREATE TABLE orch_queue (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    cap integer CHECK (cap >= 0),
    share integer NOT NULL DEFAULT 1 CHECK (share BETWEEN 1 AND 100),
    PRIMARY KEY (entity, name)
);
SELECT frontline_protect('orch_queue', 'mutable');

CREATE SEQUENCE orch_fence;
GRANT USAGE ON SEQUENCE orch_fence TO frontline_app;

-- When an instance next has something to do, and who has it in hand until when. A worker writes
-- only while its fence is the one here and its lease has not run out.
CREATE TABLE orch_ready (
    instance_id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    queue text COLLATE "C" NOT NULL,
    priority smallint NOT NULL,
    due_at timestamptz NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    moves integer NOT NULL DEFAULT 0,
    failures smallint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX orch_ready_due ON orch_ready (entity, queue, priority, due_at);
CREATE INDEX orch_ready_leased ON orch_ready (entity, queue) WHERE lease_until IS NOT NULL;
SELECT frontline_protect('orch_ready', 'deletable');

-- Values too large for a row, kept once by what they say.
CREATE TABLE orch_value (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    hash text COLLATE "C" NOT NULL,
    size integer NOT NULL,
    content text NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, hash)
);
SELECT frontline_protect('orch_value', 'append_only');
"""

MESSAGES = """
-- Messages between flows and from outside, each delivered once; kept until taken or too old.
CREATE TABLE orch_message (
    id uuid NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    name text COLLATE "C" NOT NULL,
    correlation text,
    payload text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'undelivered')),
    received_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    instance_id uuid,
    closed_at timestamptz,
    PRIMARY KEY (entity, id)
) WITH (fillfactor = 80);
CREATE INDEX orch_message_waiting ON orch_message (entity, name, correlation, received_at)
    WHERE state = 'waiting';
CREATE INDEX orch_message_expiring ON orch_message (entity, expires_at) WHERE state = 'waiting';
SELECT frontline_protect('orch_message', 'mutable');

-- A broadcast is heard once by whoever listens at that moment.
CREATE TABLE orch_signal (
    id uuid NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    name text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    heard integer NOT NULL,
    PRIMARY KEY (entity, id)
);
SELECT frontline_protect('orch_signal', 'append_only');

-- Which processes a message or a signal begins, as their newest drawings say.
CREATE TABLE orch_start (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    trigger text NOT NULL CHECK (trigger IN ('message', 'signal')),
    name text COLLATE "C" NOT NULL,
    process text COLLATE "C" NOT NULL,
    PRIMARY KEY (entity, trigger, name, process)
);
SELECT frontline_protect('orch_start', 'deletable');
"""

INCIDENTS = """
ALTER TABLE orch_incident
    ADD COLUMN owner_person text,
    ADD COLUMN resolution text;

-- What a person wants done to a running instance; some of it a second person must approve.
CREATE TABLE orch_intervention (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    instance_id uuid NOT NULL,
    incident_id uuid,
    kind text NOT NULL,
    details text NOT NULL,
    reason text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    request_id uuid,
    decision_id uuid,
    done_at timestamptz
);
CREATE INDEX orch_intervention_instance ON orch_intervention (instance_id, asked_at);
SELECT frontline_protect('orch_intervention', 'mutable');
"""

# What was waiting under the earlier tables is due under the new one.
CARRIED_OVER = """
ALTER TABLE orch_instance NO FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_timer NO FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_call NO FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_ready NO FORCE ROW LEVEL SECURITY;
INSERT INTO orch_ready (instance_id, entity, queue, priority, due_at)
SELECT i.id, i.entity, i.queue, i.priority, min(w.due_at)
  FROM (SELECT instance_id, due_at FROM orch_timer
        UNION ALL SELECT instance_id, due_at FROM orch_call WHERE state = 'due') w
  JOIN orch_instance i ON i.id = w.instance_id
 GROUP BY i.id;
ALTER TABLE orch_instance FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_call FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_ready FORCE ROW LEVEL SECURITY;
DROP TABLE orch_timer;
"""

UNDO = """
CREATE TABLE orch_timer (
    instance_id uuid NOT NULL,
    timer text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    node text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (instance_id, timer)
);
CREATE INDEX orch_timer_due ON orch_timer (due_at);
SELECT frontline_protect('orch_timer', 'deletable');
DROP TABLE orch_intervention, orch_start, orch_signal, orch_message, orch_value, orch_ready,
    orch_queue;
DROP SEQUENCE orch_fence;
ALTER TABLE orch_inbox DROP COLUMN bus_id;
ALTER TABLE orch_incident DROP COLUMN owner_person, DROP COLUMN resolution;
ALTER TABLE orch_instance DROP COLUMN queue, DROP COLUMN priority, DROP COLUMN bindings;
DROP INDEX IF EXISTS orch_instance_parent;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0001_initial")]
    operations = [migrations.RunSQL(CLAIMS + MESSAGES + INCIDENTS + CARRIED_OVER, UNDO)]
