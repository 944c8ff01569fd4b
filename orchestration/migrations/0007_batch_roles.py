"""Who handed in a file of items: their team may have a version of the flow on trial."""

from django.db import migrations

FORWARDS = "ALTER TABLE orch_batch ADD COLUMN roles text[] NOT NULL DEFAULT '{}';"
BACKWARDS = "ALTER TABLE orch_batch DROP COLUMN roles;"


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0006_confined")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
