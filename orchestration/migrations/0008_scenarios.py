"""The scenarios a version is tried out with, beside its drawing."""

from django.db import migrations

FORWARDS = """
-- JSON, or nothing; they change nothing that runs and are no part of the digest.
ALTER TABLE orch_definition ADD COLUMN scenarios text NOT NULL DEFAULT '';
ALTER TABLE orch_proposal ADD COLUMN scenarios text NOT NULL DEFAULT '';
"""

BACKWARDS = """
ALTER TABLE orch_proposal DROP COLUMN scenarios;
ALTER TABLE orch_definition DROP COLUMN scenarios;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0007_batch_roles")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
