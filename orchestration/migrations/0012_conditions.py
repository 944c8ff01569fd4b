"""Conditional starts: for whom a condition holds, so that it begins a flow once when it comes to."""

from django.db import migrations

FORWARDS = """
CREATE TABLE orch_condition (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    process text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    customer_id uuid NOT NULL,
    condition text NOT NULL,
    change text NOT NULL,
    PRIMARY KEY (entity, process, node, customer_id)
);
SELECT frontline_protect('orch_condition', 'deletable');
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0011_plans")]
    operations = [migrations.RunSQL(FORWARDS, "DROP TABLE orch_condition;")]
