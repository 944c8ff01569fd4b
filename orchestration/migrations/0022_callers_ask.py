"""What a program outside may ask Sentinel, about whom, and which connector it is."""

from django.db import migrations

FORWARDS = """
-- `asks` are kinds of action, `subjects` whom it may ask about ("customer", "customer:<id>");
-- with an audience the program is that connector, and may spend tokens made out to it.
ALTER TABLE orch_caller
    ADD COLUMN asks text[] NOT NULL DEFAULT '{}',
    ADD COLUMN subjects text[] NOT NULL DEFAULT '{}',
    ADD COLUMN audience text COLLATE "C" NOT NULL DEFAULT '';
"""
BACKWARDS = """
ALTER TABLE orch_caller DROP COLUMN asks, DROP COLUMN subjects, DROP COLUMN audience;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0021_calls_apart")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
