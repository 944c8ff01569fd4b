"""The publish gate: proposals with the report people agree to, shadow runs, and how they end.

The application proposes and publishes; a trigger compares every publication with a proposal that
somebody else made, that nobody ended, and whose report is the one that is agreed to. A rollback is
of a bundle that has been in force, and takes effect at once.
"""

from django.db import migrations

TABLES = """
CREATE TABLE sentinel_proposal (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('publish', 'rollback')),
    area text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    maker text NOT NULL,
    maker_person text NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 500),
    report text NOT NULL,
    report_digest text COLLATE "C" NOT NULL CHECK (report_digest ~ '^[0-9a-f]{64}$'),
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, id),
    FOREIGN KEY (entity, digest) REFERENCES sentinel_bundle (entity, digest)
);
CREATE TABLE sentinel_proposal_end (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    proposal_id uuid NOT NULL,
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('published', 'rejected')),
    person text NOT NULL,
    comment text NOT NULL CHECK (length(comment) <= 500),
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, proposal_id),
    FOREIGN KEY (entity, proposal_id) REFERENCES sentinel_proposal (entity, id)
);
CREATE TABLE sentinel_shadow (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    proposal_id uuid NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, proposal_id),
    FOREIGN KEY (entity, proposal_id) REFERENCES sentinel_proposal (entity, id)
);
CREATE TABLE sentinel_shadow_result (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    proposal_id uuid NOT NULL,
    until timestamptz NOT NULL,
    replayed bigint NOT NULL,
    flipped bigint NOT NULL,
    result text NOT NULL,
    PRIMARY KEY (entity, position),
    FOREIGN KEY (entity, proposal_id) REFERENCES sentinel_shadow (entity, proposal_id)
);
SELECT frontline_protect(t::regclass, 'append_only') FROM unnest(ARRAY[
    'sentinel_proposal', 'sentinel_proposal_end', 'sentinel_shadow',
    'sentinel_shadow_result']) AS t;
ALTER TABLE sentinel_publication ADD COLUMN proposal_id uuid, ADD COLUMN report_digest text;

CREATE FUNCTION sentinel_publication_agreed() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    p sentinel_proposal%ROWTYPE;
BEGIN
    IF NEW.is_genesis THEN
        IF EXISTS (SELECT FROM sentinel_publication x
                   WHERE x.entity = NEW.entity AND NOT x.is_genesis) THEN
            RAISE EXCEPTION 'genesis is over' USING ERRCODE = 'FL003';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO p FROM sentinel_proposal x WHERE x.entity = NEW.entity AND x.id = NEW.proposal_id;
    IF NOT FOUND OR p.digest <> NEW.digest OR p.area <> NEW.area
        OR p.maker_person <> NEW.maker_person
        OR p.report_digest IS DISTINCT FROM NEW.report_digest THEN
        RAISE EXCEPTION 'not what was proposed' USING ERRCODE = 'FL003';
    END IF;
    IF EXISTS (SELECT FROM sentinel_proposal_end e
               WHERE e.entity = NEW.entity AND e.proposal_id = p.id) THEN
        RAISE EXCEPTION 'the proposal has ended' USING ERRCODE = 'FL003';
    END IF;
    IF p.kind = 'rollback' AND (NEW.effective_from > clock_timestamp() + interval '10 seconds'
        OR NOT EXISTS (SELECT FROM sentinel_publication x WHERE x.entity = NEW.entity
                       AND x.digest = NEW.digest)) THEN
        RAISE EXCEPTION 'a rollback is to what was in force, and at once' USING ERRCODE = 'FL003';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION sentinel_publication_agreed() FROM PUBLIC;
CREATE TRIGGER sentinel_publication_agreed BEFORE INSERT ON sentinel_publication
    FOR EACH ROW EXECUTE FUNCTION sentinel_publication_agreed();
"""

UNDO = """
DROP TRIGGER sentinel_publication_agreed ON sentinel_publication;
DROP FUNCTION sentinel_publication_agreed();
ALTER TABLE sentinel_publication DROP COLUMN report_digest, DROP COLUMN proposal_id;
DROP TABLE sentinel_shadow_result, sentinel_shadow, sentinel_proposal_end, sentinel_proposal;
"""


class Migration(migrations.Migration):
    dependencies = [("sentinel", "0015_earlier")]
    operations = [migrations.RunSQL(TABLES, UNDO)]
