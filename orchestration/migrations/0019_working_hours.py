"""When each of the staff works, each version kept with who set it; and plans, counted by person."""

from django.db import migrations

FORWARDS = """
-- An empty content takes the declared hours back: somebody without any works at all hours.
CREATE TABLE orch_working_hours (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    content text NOT NULL,
    set_by text COLLATE "C" NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (entity, principal_id, version)
);
SELECT frontline_protect('orch_working_hours', 'append_only');

-- How many plans each person proposed since their minute began: one row, counted by one statement.
CREATE TABLE orch_plan_count (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    began_at timestamptz NOT NULL,
    count integer NOT NULL CHECK (count > 0),
    PRIMARY KEY (entity, principal_id)
);
SELECT frontline_protect('orch_plan_count', 'mutable');
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0018_feed_order")]
    operations = [migrations.RunSQL(FORWARDS, "DROP TABLE orch_plan_count, orch_working_hours;")]
