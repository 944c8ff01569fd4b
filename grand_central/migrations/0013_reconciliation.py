"""Reconciliations of tokens with the cores' own statements, and the differences they found."""

from django.db import migrations

TABLES = """
-- One comparison of everything. What was counted is written once, when it was done.
CREATE TABLE gc_reconciliation (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    asked_by text COLLATE "C" NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    permits bigint NOT NULL,
    executions bigint NOT NULL,
    transfers bigint NOT NULL,
    waiting bigint NOT NULL,
    expected jsonb NOT NULL,
    differences bigint NOT NULL
);
CREATE INDEX gc_reconciliation_time ON gc_reconciliation (entity, compared_at DESC);
SELECT frontline_protect('gc_reconciliation', 'append_only');

-- One effect or token without its partner, however often it is found; its case is opened once.
CREATE TABLE gc_difference (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('effect_without_token', 'effect_not_stated',
        'done_without_effect', 'effect_despite_failure', 'token_without_outcome')),
    subject uuid NOT NULL,
    words text NOT NULL,
    found_by uuid NOT NULL REFERENCES gc_reconciliation,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    gone_at timestamptz,
    case_id uuid,
    PRIMARY KEY (entity, kind, subject)
);
CREATE INDEX gc_difference_caseless ON gc_difference (entity, found_at) WHERE case_id IS NULL;
SELECT frontline_protect('gc_difference', 'mutable');
"""

UNDO = "DROP TABLE gc_difference, gc_reconciliation;"


class Migration(migrations.Migration):
    dependencies = [
        ("grand_central", "0012_account_holds"),
    ]
    operations = [migrations.RunSQL(TABLES, UNDO)]
