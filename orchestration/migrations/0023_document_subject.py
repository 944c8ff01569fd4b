"""Under whose key a document is sealed; NULL where it is the bank's own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0022_callers_ask")]
    operations = [
        migrations.RunSQL(
            'ALTER TABLE orch_document ADD COLUMN subject text COLLATE "C";',
            "ALTER TABLE orch_document DROP COLUMN subject;",
        )
    ]
