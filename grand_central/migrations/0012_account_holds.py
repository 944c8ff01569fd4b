"""Who holds an account: every decision that blocked it, until it is opened or closed again."""

from importlib import import_module

from django.db import migrations

TABLE = """
-- One block of an account, under the decision that asked for it, also where it was blocked already.
CREATE TABLE core_account_hold (
    token uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    account uuid NOT NULL REFERENCES ledger_account,
    held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lifted_at timestamptz,
    lifted_by uuid,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE INDEX core_account_hold_now ON core_account_hold (account) WHERE lifted_at IS NULL;
SELECT frontline_protect('core_account_hold', 'read_only');

-- Until the caller's commit no other hold is added: blocking takes the same lock.
CREATE FUNCTION core_account_holds(p_account uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM FROM ledger_account a WHERE a.id = p_account AND a.entity = frontline_entity()
    FOR NO KEY UPDATE;
    RETURN QUERY SELECT h.token FROM core_account_hold h
    WHERE h.account = p_account AND h.entity = frontline_entity() AND h.lifted_at IS NULL
    ORDER BY h.held_at, h.token;
END $$;
REVOKE ALL ON FUNCTION core_account_holds(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core_account_holds(uuid) TO frontline_app;
"""
KEPT = """    IF p_status = 'blocked' AND status IN ('changed', 'exists') THEN
        INSERT INTO core_account_hold (token, account) VALUES (p_token, p_account);
    ELSIF status = 'changed' THEN
        UPDATE core_account_hold h SET lifted_at = clock_timestamp(), lifted_by = p_token
        WHERE h.account = p_account AND h.lifted_at IS NULL;
    END IF;
"""
_END = "    RETURN NEXT;\nEND $$;\n"


def _set_status() -> str:
    """Return the statement that made the function in the earlier migration, to be made again."""
    accounts: str = import_module("grand_central.migrations.0004_registers").ACCOUNTS
    begin = accounts.index("CREATE FUNCTION core_set_account_status")
    return accounts[begin:].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def _keeping_holds() -> str:
    before, end, rest = _set_status().rpartition(_END)
    return f"{before}{KEPT}{end}{rest}"


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0011_restored")]
    operations = [
        migrations.RunSQL(
            TABLE + _keeping_holds(),
            _set_status()
            + "DROP FUNCTION core_account_holds(uuid); DROP TABLE core_account_hold;",
        )
    ]
