"""Messages, triggers, batches and effects elsewhere."""

from django.db import migrations

EFFECTS = """
-- An effect another system keeps, wanted by one visit of one node: done once, however often it is
-- tried. `fence` tells who may write; `tries` counts the tokens that were spent on it.
CREATE TABLE orch_effect (
    instance_id uuid NOT NULL,
    node text COLLATE "C" NOT NULL,
    visit integer NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    action_kind text COLLATE "C" NOT NULL,
    inputs text NOT NULL,
    tries integer NOT NULL DEFAULT 1,
    token uuid,
    state text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'answered', 'taken')),
    answer text,
    fence bigint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz,
    wanted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (instance_id, node, visit)
) WITH (fillfactor = 70);
CREATE INDEX orch_effect_due ON orch_effect (entity, due_at) WHERE state = 'wanted';
SELECT frontline_protect('orch_effect', 'mutable');

-- Every token spent on an effect, in the commit that spent it.
CREATE TABLE orch_effect_token (
    token uuid PRIMARY KEY,
    instance_id uuid NOT NULL,
    node text COLLATE "C" NOT NULL,
    visit integer NOT NULL,
    try integer NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (instance_id, node, visit, try)
);
SELECT frontline_protect('orch_effect_token', 'append_only');
"""

TRIGGERS = """
-- How a trigger stands: held by somebody, or due at a time.
CREATE TABLE orch_trigger (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    trigger text COLLATE "C" NOT NULL,
    is_paused boolean NOT NULL DEFAULT false,
    paused_by text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    due_at timestamptz,
    PRIMARY KEY (entity, trigger)
);
SELECT frontline_protect('orch_trigger', 'mutable');

-- What started what: one instance for each delivery, in the commit that began it.
CREATE TABLE orch_trigger_run (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    trigger text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    instance_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (entity, trigger, event_id)
);
CREATE INDEX orch_trigger_run_time ON orch_trigger_run (entity, trigger, received_at);
SELECT frontline_protect('orch_trigger_run', 'append_only');

CREATE TABLE orch_trigger_refusal (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    trigger text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX orch_trigger_refusal_trigger ON orch_trigger_refusal (entity, trigger, position);
SELECT frontline_protect('orch_trigger_refusal', 'append_only');

-- Programs that may start flows: the digest of a secret only they hold.
CREATE TABLE orch_caller (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    triggers text[] NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz,
    PRIMARY KEY (entity, id)
);
SELECT frontline_protect('orch_caller', 'mutable');

-- Keys that webhooks of a source are signed with; several are good while one takes over.
CREATE TABLE orch_webhook_key (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid NOT NULL,
    source text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz,
    PRIMARY KEY (entity, id)
);
CREATE INDEX orch_webhook_key_source ON orch_webhook_key (entity, source);
SELECT frontline_protect('orch_webhook_key', 'mutable');
"""

STREAMS = """
-- How far a consumer has read a feed, in the commit of what it did with it.
CREATE TABLE orch_stream (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    consumer text COLLATE "C" NOT NULL,
    cursor text NOT NULL DEFAULT '',
    PRIMARY KEY (entity, consumer)
);
SELECT frontline_protect('orch_stream', 'mutable');

-- Every event a consumer has taken, once; `error` when it could not be worked on.
CREATE TABLE orch_stream_event (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    consumer text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    consumed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (entity, consumer, event_id)
);
CREATE INDEX orch_stream_event_time ON orch_stream_event (entity, consumer, consumed_at);
SELECT frontline_protect('orch_stream_event', 'append_only');
"""

BATCHES = """
-- A file of items: one row for the run, one for each item.
CREATE TABLE orch_batch (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    process text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    file_name text NOT NULL,
    digest bytea NOT NULL,
    definition text COLLATE "C" NOT NULL,
    items integer NOT NULL CHECK (items > 0),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (entity, process, name, digest)
);
CREATE INDEX orch_batch_open ON orch_batch (entity, made_at) WHERE ended_at IS NULL;
SELECT frontline_protect('orch_batch', 'mutable');

CREATE TABLE orch_batch_item (
    batch_id uuid NOT NULL REFERENCES orch_batch,
    line integer NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    key text COLLATE "C" NOT NULL,
    item text NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'refused')),
    attempt integer NOT NULL DEFAULT 1,
    instance_id uuid,
    code text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, line)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX orch_batch_item_key ON orch_batch_item (batch_id, key);
CREATE INDEX orch_batch_item_open ON orch_batch_item (batch_id, state, line)
    WHERE state IN ('waiting', 'running');
SELECT frontline_protect('orch_batch_item', 'mutable');
"""

UNDO = """
DROP TABLE orch_batch_item, orch_batch, orch_stream_event, orch_stream, orch_webhook_key,
    orch_caller, orch_trigger_refusal, orch_trigger_run, orch_trigger;
DROP TABLE orch_effect_token, orch_effect;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0002_durable")]
    operations = [migrations.RunSQL(EFFECTS + TRIGGERS + STREAMS + BATCHES, UNDO)]
