"""Versions: proposals, rollouts and moves of running instances."""

from django.db import migrations

FORWARDS = """
-- Another version of a flow, as somebody proposes it; published once another person approves it.
CREATE TABLE orch_proposal (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    process text COLLATE "C" NOT NULL,
    base text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    journey text NOT NULL,
    bpmn text NOT NULL,
    rules text NOT NULL,
    content text NOT NULL,
    why text NOT NULL,
    report text NOT NULL,
    proposed_by text COLLATE "C" NOT NULL,
    proposed_at timestamptz NOT NULL,
    CHECK (base <> digest)
);
CREATE INDEX orch_proposal_process ON orch_proposal (entity, process, proposed_at DESC);
SELECT frontline_protect('orch_proposal', 'append_only');

-- Which version new work gets: the last row of a process decides, its share and team first.
CREATE TABLE orch_rollout (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    process text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    digest text COLLATE "C" NOT NULL,
    share smallint NOT NULL CHECK (share BETWEEN 0 AND 100),
    team text COLLATE "C",
    decision_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (entity, process, seq)
);
SELECT frontline_protect('orch_rollout', 'append_only');

-- A running instance that is to go on in another version, and what became of it.
CREATE TABLE orch_move (
    instance_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    old_digest text COLLATE "C" NOT NULL,
    new_digest text COLLATE "C" NOT NULL,
    mapping text NOT NULL,
    moved_by text COLLATE "C" NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'moved', 'stayed')),
    words text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (decision_id, instance_id)
);
CREATE INDEX orch_move_due ON orch_move (asked_at) WHERE state = 'due';
SELECT frontline_protect('orch_move', 'mutable');
"""

BACKWARDS = "DROP TABLE orch_move, orch_rollout, orch_proposal;"


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0004_worklist")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
