"""What moves in an instance stands at the end of its row, so that its end logs little else."""

from django.db import migrations

# Of a row written anew on its page the log keeps what lies between the first and the last byte
# that differ. The columns stay as they were; only their order is another.
FORWARDS = """
ALTER TABLE orch_instance NO FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_instance RENAME TO orch_instance_before;
CREATE TABLE orch_instance (
    id uuid NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    definition text COLLATE "C" NOT NULL,
    process text COLLATE "C" NOT NULL,
    case_id uuid NOT NULL,
    conversation_id uuid,
    customer_id uuid,
    principal text NOT NULL,
    parent_id uuid,
    parent_token text,
    queue text COLLATE "C" NOT NULL DEFAULT 'default',
    bindings text,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    priority smallint NOT NULL DEFAULT 0,
    is_paused boolean NOT NULL DEFAULT false,
    state text NOT NULL,
    rev bigint NOT NULL DEFAULT 0,
    ended_at timestamptz,
    status text NOT NULL,
    end_node text
) WITH (fillfactor = 70);
INSERT INTO orch_instance (id, entity, definition, process, case_id, conversation_id, customer_id,
       principal, parent_id, parent_token, queue, bindings, started_at, updated_at, priority,
       is_paused, state, rev, ended_at, status, end_node)
SELECT id, entity, definition, process, case_id, conversation_id, customer_id,
       principal, parent_id, parent_token, queue, bindings, started_at, updated_at, priority,
       is_paused, state, rev, ended_at, status, end_node
  FROM orch_instance_before;
DROP TABLE orch_instance_before;
ALTER TABLE orch_instance
    ADD CONSTRAINT orch_instance_pkey PRIMARY KEY (id),
    ADD CONSTRAINT orch_instance_priority_check CHECK (priority BETWEEN -1 AND 2);
-- Most that programs begin concerns no customer, and nobody looks for it by one.
CREATE INDEX orch_instance_customer ON orch_instance (entity, customer_id, started_at DESC)
    WHERE customer_id IS NOT NULL;
CREATE INDEX orch_instance_live ON orch_instance (entity, started_at) WHERE ended_at IS NULL;
CREATE INDEX orch_instance_parent ON orch_instance (parent_id) WHERE parent_id IS NOT NULL;
SELECT frontline_protect('orch_instance', 'mutable');
"""
# The order of columns is nobody's business but the log's: it stays.
BACKWARDS = """
DROP INDEX orch_instance_customer;
CREATE INDEX orch_instance_customer ON orch_instance (entity, customer_id, started_at DESC);
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0014_restores")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
