"""Tables of the machinery itself: heartbeats, news too long for a NOTIFY, and what was done once.

Neither belongs to a legal entity: a heartbeat names a loop, a message is addressed to a group
whose name carries the entity or the person.
"""

from django.db import migrations

FORWARDS = """
CREATE TABLE deploy_heartbeat (
    loop text COLLATE "C" PRIMARY KEY,
    beat_at timestamptz NOT NULL,
    succeeded_at timestamptz,
    failures_in_a_row integer NOT NULL DEFAULT 0,
    last_error text NOT NULL DEFAULT '',
    interval_seconds double precision NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON deploy_heartbeat TO frontline_app;

CREATE UNLOGGED TABLE deploy_channel_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    body bytea NOT NULL
);
CREATE INDEX deploy_channel_message_sent_at ON deploy_channel_message (sent_at);
GRANT SELECT, INSERT, DELETE ON deploy_channel_message TO frontline_app;

CREATE TABLE deploy_milestone (
    name text COLLATE "C" PRIMARY KEY,
    reached_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT ON deploy_milestone TO frontline_app;
"""

BACKWARDS = """
DROP TABLE deploy_milestone;
DROP TABLE deploy_channel_message;
DROP TABLE deploy_heartbeat;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
