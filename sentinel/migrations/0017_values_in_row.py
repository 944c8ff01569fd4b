"""The sealed values of a decision stay in its row: they hold what the policies were shown."""

from django.db import migrations

# About 2 kB that are encrypted, so that nothing compresses them: moved out of the row they would
# cost a second table and its index with every decision.
IN_ROW = "ALTER TABLE sentinel_decision_parameters SET (toast_tuple_target = 8160);"
AS_BEFORE = "ALTER TABLE sentinel_decision_parameters RESET (toast_tuple_target);"


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0016_publish_gate")]
    operations = [migrations.RunSQL(IN_ROW, AS_BEFORE)]
