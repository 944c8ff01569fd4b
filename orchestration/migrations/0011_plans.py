"""Plans of several steps: what was asked for at once, and how each step stands."""

from django.db import migrations

PLANS = """
-- `tasks` is the graph as it was checked; `principal` is who asked for it.
CREATE TABLE orch_plan (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    conversation_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    principal text NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'running', 'done', 'cancelled')),
    tasks text NOT NULL,
    proposed_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'cancelled')))
);
-- One at a time: the customer answers one question after another.
CREATE UNIQUE INDEX orch_plan_running ON orch_plan (entity, conversation_id)
    WHERE state = 'running';
SELECT frontline_protect('orch_plan', 'mutable');

-- `starts` counts the flows begun for a step; the flow that runs is named by plan, step and count.
CREATE TABLE orch_plan_step (
    plan_id uuid NOT NULL REFERENCES orch_plan,
    step text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position integer NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'asking', 'running', 'done', 'refused',
        'failed', 'cancelled', 'stopped', 'skipped', 'removed')),
    starts integer NOT NULL DEFAULT 0,
    instance_id uuid UNIQUE,
    outputs text NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, step)
) WITH (fillfactor = 70);
CREATE INDEX orch_plan_step_instance ON orch_plan_step (instance_id) WHERE state = 'running';
SELECT frontline_protect('orch_plan_step', 'mutable');
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0010_restored")]
    operations = [migrations.RunSQL(PLANS, "DROP TABLE orch_plan_step, orch_plan;")]
