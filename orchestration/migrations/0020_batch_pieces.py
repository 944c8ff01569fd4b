"""Files of items: read piece by piece, held or stopped by people, each item with its reason."""

from django.db import migrations

FORWARDS = """
-- `items` counts what has been read so far; a file is begun once it has been read to its end.
-- What was handed in before this was read whole in one commit.
ALTER TABLE orch_batch DROP CONSTRAINT orch_batch_items_check;
ALTER TABLE orch_batch ADD CONSTRAINT orch_batch_items_check CHECK (items >= 0);
ALTER TABLE orch_batch
    ADD COLUMN read_at timestamptz DEFAULT clock_timestamp(),
    ADD COLUMN standing text COLLATE "C" NOT NULL DEFAULT 'going'
        CHECK (standing IN ('going', 'paused', 'stopped')),
    ADD COLUMN tally jsonb;
ALTER TABLE orch_batch ALTER COLUMN read_at DROP DEFAULT;

ALTER TABLE orch_batch_item DROP CONSTRAINT orch_batch_item_state_check;
ALTER TABLE orch_batch_item ADD CONSTRAINT orch_batch_item_state_check
    CHECK (state IN ('waiting', 'running', 'done', 'failed', 'refused', 'stopped'));
ALTER TABLE orch_batch_item ADD COLUMN reason text NOT NULL DEFAULT '';

-- What people did to a run over a file, and why.
CREATE TABLE orch_batch_move (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    batch_id uuid NOT NULL REFERENCES orch_batch,
    move text COLLATE "C" NOT NULL CHECK (move IN ('pause', 'resume', 'stop', 'restart')),
    made_by text NOT NULL,
    reason text NOT NULL,
    items integer NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX orch_batch_move_batch ON orch_batch_move (batch_id, position);
SELECT frontline_protect('orch_batch_move', 'append_only');

-- Why a delivery began nothing, in words, where there is more to say than a code.
ALTER TABLE orch_trigger_refusal ADD COLUMN words text NOT NULL DEFAULT '';
"""
BACKWARDS = """
ALTER TABLE orch_trigger_refusal DROP COLUMN words;
DROP TABLE orch_batch_move;
ALTER TABLE orch_batch_item DROP COLUMN reason;
ALTER TABLE orch_batch_item DROP CONSTRAINT orch_batch_item_state_check;
ALTER TABLE orch_batch_item ADD CONSTRAINT orch_batch_item_state_check
    CHECK (state IN ('waiting', 'running', 'done', 'failed', 'refused'));
ALTER TABLE orch_batch DROP COLUMN tally, DROP COLUMN standing, DROP COLUMN read_at;
ALTER TABLE orch_batch DROP CONSTRAINT orch_batch_items_check;
ALTER TABLE orch_batch ADD CONSTRAINT orch_batch_items_check CHECK (items > 0);
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0019_working_hours")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
