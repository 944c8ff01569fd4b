"""The formats of models that read letters and draft answers."""

from django.db import migrations

FORMATS = """
ALTER TABLE intelligence_model_version DROP CONSTRAINT intelligence_model_version_format_check,
    ADD CONSTRAINT intelligence_model_version_format_check CHECK (format IN (
        'linear-intent/1', 'additive-scorecard/1', 'letter-slots/1', 'letter-templates/1'));
"""


class Migration(migrations.Migration):
    dependencies = [("intelligence", "0001_initial")]
    # The narrower rule would not hold for rows written since, and an older release reads them not.
    operations = [migrations.RunSQL(FORMATS, migrations.RunSQL.noop)]
