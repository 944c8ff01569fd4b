"""The person of record behind each principal that took part, so that two sign-ins stay one human."""

from django.db import migrations

FORWARDS = """
CREATE TABLE orch_person (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    principal_id text COLLATE "C" NOT NULL,
    person_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (entity, principal_id, person_id)
);
SELECT frontline_protect('orch_person', 'append_only');
"""


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0015_ordered_instance")]
    operations = [migrations.RunSQL(FORWARDS, "DROP TABLE orch_person;")]
