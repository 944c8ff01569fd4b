"""What an employee may read, and what is kept sealed."""

from django.db import migrations

ACCESS = """
-- Who of the bank read what, once a person and day, and what they were refused, each time.
CREATE TABLE orch_access (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    is_granted boolean NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL
);
CREATE UNIQUE INDEX orch_access_read ON orch_access (entity, resource, principal_id, day)
    WHERE is_granted;
SELECT frontline_protect('orch_access', 'append_only');
"""

NOTICES = """
-- What the people of a role, or one of them, are told of a task: once for each kind.
CREATE TABLE orch_notice (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('escalated', 'overdue')),
    role text COLLATE "C" NOT NULL,
    person text COLLATE "C",
    task_id uuid NOT NULL,
    case_id uuid NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (task_id, kind, role)
);
CREATE INDEX orch_notice_role ON orch_notice (entity, role, at DESC);
SELECT frontline_protect('orch_notice', 'append_only');

CREATE TABLE orch_notice_seen (
    notice_id uuid NOT NULL,
    principal_id text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    at timestamptz NOT NULL,
    PRIMARY KEY (notice_id, principal_id)
);
SELECT frontline_protect('orch_notice_seen', 'mutable');

-- The messages that go out with a notice, each sent once.
CREATE TABLE orch_notice_message (
    notice_id uuid NOT NULL,
    recipient text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    state text COLLATE "C" NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'refused')),
    at timestamptz,
    PRIMARY KEY (notice_id, recipient)
);
CREATE INDEX orch_notice_message_due ON orch_notice_message (entity) WHERE state = 'due';
SELECT frontline_protect('orch_notice_message', 'mutable');

-- How far the feed has been told.
CREATE TABLE orch_notice_cursor (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    cursor text COLLATE "C" NOT NULL DEFAULT ''
);
SELECT frontline_protect('orch_notice_cursor', 'mutable');
"""

SPOKEN = """
-- What the bank said on its own in conversations, sealed under the key of whom it is about.
CREATE TABLE orch_spoken (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    subject text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL
);
SELECT frontline_protect('orch_spoken', 'append_only');
"""

UNDO = """
DROP TABLE orch_spoken, orch_notice_cursor, orch_notice_message, orch_notice_seen, orch_notice, orch_access;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0005_versions")]
    operations = [migrations.RunSQL(ACCESS + NOTICES + SPOKEN, UNDO)]
