"""Work for people: assignment, absence, calendars, comments."""

from django.db import migrations

FORWARDS = """
-- When the people of a desk work; `default` serves every desk that has none of its own.
CREATE TABLE orch_calendar (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    desk text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    content text NOT NULL,
    set_by text COLLATE "C" NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (entity, desk, version)
);
SELECT frontline_protect('orch_calendar', 'append_only');

-- Who works the lists: what they may do, what they can, how much at a time.
CREATE TABLE orch_worker (
    principal_id text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    roles text[] NOT NULL,
    skills text[] NOT NULL DEFAULT '{}',
    capacity integer NOT NULL CHECK (capacity BETWEEN 0 AND 1000),
    last_assigned_at timestamptz,
    PRIMARY KEY (entity, principal_id)
);
SELECT frontline_protect('orch_worker', 'mutable');

-- When somebody is away. Ended early, not deleted.
CREATE TABLE orch_absence (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    deputy_id text COLLATE "C",
    entered_by text COLLATE "C" NOT NULL,
    entered_at timestamptz NOT NULL,
    CHECK (begins_at <= ends_at),
    CHECK (deputy_id <> principal_id)
);
CREATE INDEX orch_absence_who ON orch_absence (entity, principal_id, ends_at);
SELECT frontline_protect('orch_absence', 'mutable');

ALTER TABLE orch_task
    DROP CONSTRAINT orch_task_kind_check,
    ADD CONSTRAINT orch_task_kind_check
        CHECK (kind IN ('work', 'approval', 'handoff', 'incident', 'choice')),
    ADD COLUMN skills text[] NOT NULL DEFAULT '{}',
    ADD COLUMN assigned_to text COLLATE "C",
    ADD COLUMN assigned_at timestamptz,
    ADD COLUMN assigned_why text NOT NULL DEFAULT '',
    ADD COLUMN predicted_at timestamptz,
    ADD COLUMN escalated_why text NOT NULL DEFAULT '',
    ADD COLUMN handled_seconds integer CHECK (handled_seconds >= 0);
CREATE INDEX orch_task_assigned ON orch_task (entity, assigned_to) WHERE state = 'open';
CREATE INDEX orch_task_handled ON orch_task (entity, form_key, closed_at DESC)
    WHERE handled_seconds IS NOT NULL;

-- A file may also come from somebody of the bank, who has no conversation with the customer.
ALTER TABLE orch_document
    ALTER COLUMN conversation_id DROP NOT NULL,
    ADD COLUMN added_by text COLLATE "C",
    ADD CONSTRAINT orch_document_from_somewhere
        CHECK (conversation_id IS NOT NULL OR (added_by IS NOT NULL AND case_id IS NOT NULL));
"""

BACKWARDS = """
ALTER TABLE orch_document
    DROP CONSTRAINT orch_document_from_somewhere,
    DROP COLUMN added_by,
    ALTER COLUMN conversation_id SET NOT NULL;
DROP INDEX orch_task_assigned, orch_task_handled;
ALTER TABLE orch_task
    DROP COLUMN skills,
    DROP COLUMN assigned_to,
    DROP COLUMN assigned_at,
    DROP COLUMN assigned_why,
    DROP COLUMN predicted_at,
    DROP COLUMN escalated_why,
    DROP COLUMN handled_seconds;
DROP TABLE orch_absence, orch_worker, orch_calendar;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0003_triggers")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
