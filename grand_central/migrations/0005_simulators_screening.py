"""The scheme simulator's state, and the lists names are screened against."""

from django.db import migrations

SCHEME = """
-- What other banks would answer. A simulator's memory, not the bank's books.
CREATE TABLE scheme_name (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    iban text COLLATE "C" NOT NULL,
    name text NOT NULL,
    is_organisation boolean NOT NULL,
    PRIMARY KEY (entity, iban)
);
SELECT frontline_protect('scheme_name', 'mutable');
CREATE TABLE scheme_state (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    is_available boolean NOT NULL
);
SELECT frontline_protect('scheme_state', 'mutable');
"""

SCREENING = """
-- The version of a list loaded last is in force. `digest` is over all lines; the first line is
-- the header of the list.
CREATE TABLE screening_list (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    name text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    entries integer NOT NULL CHECK (entries > 0),
    header jsonb NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX screening_list_name ON screening_list (entity, name, position DESC);
SELECT frontline_protect('screening_list', 'read_only');
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON screening_list
    FOR EACH ROW EXECUTE FUNCTION frontline_append_only();

CREATE TABLE screening_entry (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    list_id uuid NOT NULL REFERENCES screening_list,
    line_number integer NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (list_id, line_number)
);
SELECT frontline_protect('screening_entry', 'read_only');
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON screening_entry
    FOR EACH ROW EXECUTE FUNCTION frontline_append_only();

CREATE FUNCTION screening_load(p_token uuid, p_name text, p_version text, p_lines text[])
RETURNS TABLE (status text, digest text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    digest := encode(sha256(convert_to(array_to_string(p_lines, E'\\n'), 'UTF8')), 'hex');
    IF NOT gc_take_redemption(p_token, format('screening/v1|%s|%s|%s', p_name, p_version,
            digest)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO screening_list (id, name, version, digest, entries, header)
    VALUES (p_token, p_name, p_version, digest, cardinality(p_lines) - 1, p_lines[1]::jsonb);
    INSERT INTO screening_entry (list_id, line_number, line)
    SELECT p_token, n, line FROM unnest(p_lines) WITH ORDINALITY AS l (line, n) WHERE n > 1;
    status := 'loaded';
    PERFORM gc_state_execution(p_token, status, 'screening_list:' || p_token, '');
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION screening_load(uuid, text, text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION screening_load(uuid, text, text, text[]) TO frontline_app;
"""

UNDO = """
DROP FUNCTION screening_load(uuid, text, text, text[]);
DROP TABLE screening_entry, screening_list, scheme_state, scheme_name;
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0004_registers")]
    operations = [migrations.RunSQL(SCHEME + SCREENING, UNDO)]
