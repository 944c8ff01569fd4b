"""Tables of Orchestration: instances and their history, work for people, and conversations."""

from django.db import migrations

ENGINE = """
-- A published drawing with its rules and wording, named by the digest of what it says.
CREATE TABLE orch_definition (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    hash text COLLATE "C" NOT NULL,
    process text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    journey text NOT NULL,
    bpmn text NOT NULL,
    rules text NOT NULL,
    content text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, hash),
    UNIQUE (entity, process, version)
);
SELECT frontline_protect('orch_definition', 'append_only');

-- One run of a drawing; pinned to the definition it began with. `rev` fences every write.
CREATE TABLE orch_instance (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    definition text COLLATE "C" NOT NULL,
    process text COLLATE "C" NOT NULL,
    status text NOT NULL,
    is_paused boolean NOT NULL DEFAULT false,
    state text NOT NULL,
    rev bigint NOT NULL DEFAULT 0,
    case_id uuid NOT NULL,
    conversation_id uuid,
    customer_id uuid,
    principal text NOT NULL,
    parent_id uuid,
    parent_token text,
    end_node text,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX orch_instance_customer ON orch_instance (entity, customer_id, started_at DESC);
CREATE INDEX orch_instance_status ON orch_instance (entity, status, started_at DESC);
SELECT frontline_protect('orch_instance', 'mutable');

-- Why an instance stands where it stands: the events in order, and what followed from each.
CREATE TABLE orch_history (
    instance_id uuid NOT NULL,
    seq bigint NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    event text NOT NULL,
    entries text NOT NULL,
    ignored text,
    at timestamptz NOT NULL,
    PRIMARY KEY (instance_id, seq)
);
SELECT frontline_protect('orch_history', 'append_only');

-- What came in for an instance, each message once.
CREATE TABLE orch_inbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid NOT NULL,
    instance_id uuid NOT NULL,
    event text NOT NULL,
    at timestamptz NOT NULL,
    taken_at timestamptz,
    CONSTRAINT orch_inbox_once UNIQUE (entity, id)
);
CREATE INDEX orch_inbox_waiting ON orch_inbox (instance_id, position) WHERE taken_at IS NULL;
SELECT frontline_protect('orch_inbox', 'mutable');

-- A service call without an answer yet: to be tried again, or waiting for a person's permission.
CREATE TABLE orch_call (
    instance_id uuid NOT NULL,
    node text COLLATE "C" NOT NULL,
    visit integer NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    command text NOT NULL,
    token text NOT NULL,
    attempt integer NOT NULL,
    state text NOT NULL CHECK (state IN ('due', 'approval', 'step_up', 'outside', 'closed')),
    due_at timestamptz NOT NULL,
    reference uuid,
    last_error text NOT NULL DEFAULT '',
    lease_until timestamptz,
    PRIMARY KEY (instance_id, node, visit)
);
CREATE INDEX orch_call_due ON orch_call (due_at) WHERE state = 'due';
CREATE INDEX orch_call_parked ON orch_call (reference) WHERE state IN ('approval', 'step_up');
SELECT frontline_protect('orch_call', 'mutable');

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

CREATE TABLE orch_subscription (
    instance_id uuid NOT NULL,
    subscription text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    trigger text NOT NULL,
    name text COLLATE "C" NOT NULL,
    correlation text,
    PRIMARY KEY (instance_id, subscription)
);
CREATE INDEX orch_subscription_name ON orch_subscription (entity, trigger, name, correlation);
SELECT frontline_protect('orch_subscription', 'deletable');

-- A fault a named person must resolve.
CREATE TABLE orch_incident (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    instance_id uuid NOT NULL,
    token text NOT NULL,
    node text NOT NULL,
    visit integer NOT NULL,
    code text NOT NULL,
    words text NOT NULL,
    owner_role text NOT NULL,
    raised_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text
);
CREATE INDEX orch_incident_open ON orch_incident (entity, instance_id) WHERE resolved_at IS NULL;
SELECT frontline_protect('orch_incident', 'mutable');
"""

WORK = """
-- What belongs together for the bank's people: the request, its evidence, its tasks, its end.
CREATE TABLE orch_case (
    id uuid PRIMARY KEY,
    serial bigint GENERATED BY DEFAULT AS IDENTITY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    number text COLLATE "C" NOT NULL,
    journey text NOT NULL,
    title text NOT NULL,
    customer_id uuid,
    conversation_id uuid,
    instance_id uuid,
    state text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT orch_case_number UNIQUE (entity, number)
);
CREATE INDEX orch_case_customer ON orch_case (entity, customer_id, opened_at DESC);
CREATE INDEX orch_case_state ON orch_case (entity, state, opened_at DESC);
SELECT frontline_protect('orch_case', 'mutable');

-- The history of a case in words, as it happened.
CREATE TABLE orch_case_note (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    case_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    words text NOT NULL,
    reference text NOT NULL DEFAULT ''
);
CREATE INDEX orch_case_note_case ON orch_case_note (case_id, position);
SELECT frontline_protect('orch_case_note', 'append_only');

CREATE TABLE orch_task (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    case_id uuid NOT NULL,
    instance_id uuid,
    token text,
    node text NOT NULL,
    visit integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('work', 'approval', 'handoff', 'incident')),
    form_key text NOT NULL,
    title text NOT NULL,
    form text NOT NULL,
    inputs text NOT NULL,
    roles text[] NOT NULL,
    excluded text[] NOT NULL DEFAULT '{}',
    reference uuid,
    state text NOT NULL CHECK (state IN ('open', 'done', 'cancelled')),
    claimed_by text,
    claimed_at timestamptz,
    priority smallint NOT NULL DEFAULT 0,
    warn_at timestamptz,
    due_at timestamptz,
    warned_at timestamptz,
    breached_at timestamptz,
    answer text,
    comment text NOT NULL DEFAULT '',
    closed_by text,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE INDEX orch_task_case ON orch_task (case_id, opened_at);
CREATE UNIQUE INDEX orch_task_once ON orch_task (instance_id, node, visit, kind, reference)
    NULLS NOT DISTINCT WHERE instance_id IS NOT NULL;
CREATE INDEX orch_task_open ON orch_task (entity, priority DESC, due_at) WHERE state = 'open';
CREATE INDEX orch_task_clock ON orch_task (warn_at, due_at) WHERE state = 'open';
SELECT frontline_protect('orch_task', 'mutable');

-- Files a customer handed in, sealed with a key the database does not hold.
CREATE TABLE orch_document (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    case_id uuid,
    conversation_id uuid NOT NULL,
    customer_id uuid,
    media_type text NOT NULL,
    size integer NOT NULL,
    sealed_name bytea NOT NULL,
    sealed_content bytea NOT NULL,
    sealed_reading bytea,
    received_at timestamptz NOT NULL
);
CREATE INDEX orch_document_conversation ON orch_document (entity, conversation_id, received_at);
CREATE INDEX orch_document_case ON orch_document (entity, case_id);
SELECT frontline_protect('orch_document', 'mutable');
"""

TALK = """
-- What a conversation is in the middle of.
CREATE TABLE orch_conversation_state (
    conversation_id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text NOT NULL,
    turn integer NOT NULL DEFAULT 0,
    state text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT frontline_protect('orch_conversation_state', 'mutable');

-- A card in a conversation: made from server state, answered once.
CREATE TABLE orch_card (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    conversation_id uuid NOT NULL,
    principal_id text NOT NULL,
    turn integer NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'answered', 'expired', 'cancelled', 'done')),
    details text NOT NULL,
    expires_at timestamptz,
    case_id uuid,
    instance_id uuid,
    token text,
    node text,
    reference uuid,
    reply text,
    opened_at timestamptz NOT NULL
);
CREATE INDEX orch_card_conversation ON orch_card (conversation_id, position);
CREATE INDEX orch_card_instance ON orch_card (instance_id) WHERE state = 'open';
SELECT frontline_protect('orch_card', 'mutable');

-- The feed: what screens and the layer above must know of.
CREATE TABLE orch_event (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload text NOT NULL
);
CREATE INDEX orch_event_order ON orch_event (entity, xact, position);
SELECT frontline_protect('orch_event', 'append_only');
"""

UNDO = """
DROP TABLE orch_event, orch_card, orch_conversation_state, orch_document, orch_task, orch_case_note,
    orch_case, orch_incident, orch_subscription, orch_timer, orch_call, orch_inbox, orch_history,
    orch_instance, orch_definition;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("sentinel", "0001_initial")]
    operations = [migrations.RunSQL(ENGINE + WORK + TALK, UNDO)]
