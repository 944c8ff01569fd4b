"""One index of the feed instead of two: its order names every line of it."""

from django.db import migrations

FORWARDS = """
ALTER TABLE orch_event DROP CONSTRAINT orch_event_pkey;
DROP INDEX orch_event_order;
ALTER TABLE orch_event ADD CONSTRAINT orch_event_pkey PRIMARY KEY (entity, xact, position);
"""
BACKWARDS = """
ALTER TABLE orch_event DROP CONSTRAINT orch_event_pkey;
CREATE INDEX orch_event_order ON orch_event (entity, xact, position);
ALTER TABLE orch_event ADD CONSTRAINT orch_event_pkey PRIMARY KEY (position);
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0017_plans_broken")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
