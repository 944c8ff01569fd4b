"""Calls of branches that are made side by side: who has one in hand, and what came of it."""

from django.db import migrations

FORWARDS = """
-- A call apart is made by whoever claims it, not in the commit of the step: `fence` and
-- `lease_until` say who has it in hand, `takes` how many have had it, `answer` what came of it.
ALTER TABLE orch_call
    ADD COLUMN fence bigint NOT NULL DEFAULT 0,
    ADD COLUMN takes smallint NOT NULL DEFAULT 0,
    ADD COLUMN answer text;
ALTER TABLE orch_call DROP CONSTRAINT orch_call_state_check;
ALTER TABLE orch_call ADD CONSTRAINT orch_call_state_check
    CHECK (state IN ('due', 'apart', 'approval', 'step_up', 'outside', 'closed'));
CREATE INDEX orch_call_apart ON orch_call (entity, due_at) WHERE state = 'apart';
"""
# What is apart is made in the commit of a step again.
BACKWARDS = """
DROP INDEX orch_call_apart;
ALTER TABLE orch_call NO FORCE ROW LEVEL SECURITY;
UPDATE orch_call SET state = 'due', due_at = 'epoch' WHERE state = 'apart';
ALTER TABLE orch_call FORCE ROW LEVEL SECURITY;
ALTER TABLE orch_call DROP CONSTRAINT orch_call_state_check;
ALTER TABLE orch_call ADD CONSTRAINT orch_call_state_check
    CHECK (state IN ('due', 'approval', 'step_up', 'outside', 'closed'));
ALTER TABLE orch_call DROP COLUMN fence, DROP COLUMN takes, DROP COLUMN answer;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0020_batch_pieces")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
