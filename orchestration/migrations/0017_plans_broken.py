"""A plan that cannot go on is broken, not done, and says on what."""

from django.db import migrations

BROKEN = """
ALTER TABLE orch_plan ADD COLUMN broken_by text,
    DROP CONSTRAINT orch_plan_state_check,
    DROP CONSTRAINT orch_plan_check,
    ADD CONSTRAINT orch_plan_state_check
        CHECK (state IN ('proposed', 'running', 'done', 'cancelled', 'broken')),
    ADD CONSTRAINT orch_plan_ended
        CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'cancelled', 'broken'))),
    ADD CONSTRAINT orch_plan_broken CHECK ((broken_by IS NOT NULL) = (state = 'broken'));
"""
UNDO = """
UPDATE orch_plan SET state = 'done', broken_by = NULL WHERE state = 'broken';
ALTER TABLE orch_plan
    DROP CONSTRAINT orch_plan_broken,
    DROP CONSTRAINT orch_plan_ended,
    DROP CONSTRAINT orch_plan_state_check,
    DROP COLUMN broken_by,
    ADD CONSTRAINT orch_plan_state_check
        CHECK (state IN ('proposed', 'running', 'done', 'cancelled')),
    ADD CONSTRAINT orch_plan_check
        CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'cancelled')));
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0016_persons")]
    operations = [migrations.RunSQL(BROKEN, UNDO)]
