"""What runs is found by age; that an instance goes from created to running writes no index."""

from django.db import migrations

FORWARDS = """
CREATE INDEX orch_instance_live ON orch_instance (entity, started_at) WHERE ended_at IS NULL;
DROP INDEX orch_instance_status;
"""
BACKWARDS = """
CREATE INDEX orch_instance_status ON orch_instance (entity, status, started_at DESC);
DROP INDEX orch_instance_live;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0008_scenarios")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
