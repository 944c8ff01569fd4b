"""Which model serves what, since when and by whose word; and every call of a model."""

from django.db import migrations

REGISTRY = """
CREATE TABLE intelligence_model_version (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    capability text COLLATE "C" NOT NULL CHECK (capability ~ '^[a-z]+([._][a-z]+)*$'),
    version text COLLATE "C" NOT NULL CHECK (version ~ '^[a-z0-9][a-z0-9.-]{0,39}$'),
    provider text NOT NULL,
    artefact text COLLATE "C" NOT NULL CHECK (artefact ~ '^[a-z0-9][a-z0-9._-]{0,79}$'),
    digest text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    format text NOT NULL CHECK (format IN ('linear-intent/1', 'additive-scorecard/1')),
    data_classes text[] NOT NULL,
    latency_p99_us integer NOT NULL CHECK (latency_p99_us > 0),
    card text NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT intelligence_model_version_once UNIQUE (entity, capability, version)
);
SELECT frontline_protect('intelligence_model_version', 'append_only');

-- What serves is the last line of each alias, so that going back is one more line.
CREATE TABLE intelligence_alias_change (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    capability text COLLATE "C" NOT NULL,
    alias text COLLATE "C" NOT NULL
        CHECK (alias IN ('champion', 'challenger', 'shadow', 'fallback')),
    ordinal integer NOT NULL CHECK (ordinal > 0),
    version text COLLATE "C",
    rollout_percent smallint NOT NULL CHECK (rollout_percent BETWEEN 0 AND 100),
    approved_by text NOT NULL,
    why text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (entity, capability, alias, ordinal),
    FOREIGN KEY (entity, capability, version)
        REFERENCES intelligence_model_version (entity, capability, version)
);
SELECT frontline_protect('intelligence_alias_change', 'append_only');
"""

CALLS = """
-- One line for each model asked, those that could not answer included. Never the text itself.
CREATE TABLE intelligence_call (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    capability text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    alias text NOT NULL,
    hop smallint NOT NULL CHECK (hop >= 0),
    outcome text NOT NULL CHECK (outcome IN ('answered', 'passed_over', 'shadow')),
    why text NOT NULL,
    result text NOT NULL,
    confidence_permille smallint CHECK (confidence_permille BETWEEN 0 AND 1000),
    reasons text[] NOT NULL,
    input_digest text COLLATE "C" NOT NULL CHECK (input_digest ~ '^[0-9a-f]{64}$'),
    data_class text NOT NULL,
    purpose text NOT NULL,
    case_id uuid,
    cost_micros bigint NOT NULL CHECK (cost_micros >= 0),
    latency_us integer NOT NULL CHECK (latency_us >= 0),
    called_at timestamptz NOT NULL
);
CREATE INDEX intelligence_call_case ON intelligence_call (entity, case_id, position)
    WHERE case_id IS NOT NULL;
CREATE INDEX intelligence_call_feed ON intelligence_call (entity, xact, position);
SELECT frontline_protect('intelligence_call', 'append_only');
"""

UNDO = """
DROP TABLE intelligence_call;
DROP TABLE intelligence_alias_change;
DROP TABLE intelligence_model_version;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("sentinel", "0001_initial")]
    operations = [migrations.RunSQL(REGISTRY + CALLS, UNDO)]
