"""Passkeys: which devices may sign for whom. Their signatures stand in the log."""

from django.db import migrations

PASSKEYS = """
CREATE TABLE sentinel_passkey (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    credential_id text COLLATE "C" NOT NULL
        CHECK (credential_id ~ '^[A-Za-z0-9_-]+$' AND length(credential_id) BETWEEN 16 AND 1400),
    principal_id text COLLATE "C" NOT NULL,
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
    attested bytea NOT NULL,
    sign_count bigint NOT NULL CHECK (sign_count >= 0),
    rp_id text COLLATE "C" NOT NULL,
    enrolled_at timestamptz NOT NULL,
    used_at timestamptz,
    removed_at timestamptz,
    -- One device, one person: also one that was removed signs for nobody else.
    PRIMARY KEY (entity, credential_id)
);
CREATE INDEX sentinel_passkey_person ON sentinel_passkey (entity, principal_id)
    WHERE removed_at IS NULL;
SELECT frontline_protect('sentinel_passkey', 'mutable');
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0011_mandates_written")]
    operations = [migrations.RunSQL(PASSKEYS, "DROP TABLE sentinel_passkey;")]
