"""Whose an e-mail address is, found without looking at every customer."""

from django.db import migrations

ADDRESSES = """
CREATE INDEX nexus_node_email ON nexus_node (entity, lower(attributes->>'email'))
 WHERE kind = 'party';
"""


class Migration(migrations.Migration):
    dependencies = [("nexus", "0002_posted")]
    operations = [migrations.RunSQL(ADDRESSES, "DROP INDEX nexus_node_email")]
