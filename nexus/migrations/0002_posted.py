"""Which transfers a line of the feed tells of, so that each can be followed by itself."""

from django.db import migrations

POSTED = """
-- The transfers a customer ordered one by one that this line tells of, oldest first.
ALTER TABLE nexus_change ADD COLUMN posted jsonb NOT NULL DEFAULT '[]';
"""


class Migration(migrations.Migration):
    dependencies = [("nexus", "0001_initial")]
    operations = [
        migrations.RunSQL(POSTED, "ALTER TABLE nexus_change DROP COLUMN posted"),
    ]
