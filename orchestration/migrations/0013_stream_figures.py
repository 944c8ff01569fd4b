"""What a consumer of a feed dropped because it had it before, and when it moved last."""

from django.db import migrations

FIGURES = """
ALTER TABLE orch_stream
    ADD COLUMN dropped bigint NOT NULL DEFAULT 0,
    ADD COLUMN moved_at timestamptz;
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0012_conditions")]
    operations = [
        migrations.RunSQL(
            FIGURES, "ALTER TABLE orch_stream DROP COLUMN dropped, DROP COLUMN moved_at"
        ),
    ]
