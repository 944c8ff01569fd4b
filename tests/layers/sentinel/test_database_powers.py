"""What the database itself refuses the application, read from its own catalogue."""

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from deploy.settings.database import APPLICATION_ROLE

# No legal entity's data: the framework's tables, and how the processes of one installation fare.
WITHOUT_ENTITY = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "deploy_channel_message",
    "deploy_heartbeat",
    "deploy_milestone",
    "django_content_type",
    "django_migrations",
    "django_session",
}
# The owner's functions look across entities here: to list them, and to number their records.
NOT_FORCED = {"sentinel_legal_entity", "sentinel_pending", "sentinel_tree"}
# Written by functions of the owner only, which ask for a redemption or are the log's own.
NEVER_INSERTED = {
    "core_account_hold",
    "core_card",
    "core_party",
    "core_payee",
    "gc_execution",
    "gc_message",
    "gc_outbox",
    "ledger_account",
    "ledger_transfer",
    "screening_entry",
    "screening_list",
    "sentinel_checkpoint",
    "sentinel_cosignature",
    "sentinel_genesis",
    "sentinel_kill_switch",
    "sentinel_leaf",
    "sentinel_limit",
    "sentinel_node",
    "sentinel_pending",
    "sentinel_record",
    "sentinel_redemption",
    "sentinel_tree",
}
# On a server one login may be a member of both roles; the embedded one has a login for each.
_IS_EMBEDDED = settings.DATABASES["default"]["USER"] == APPLICATION_ROLE
_TAKING_THE_OWNERS_PLACE = (
    ("SET ROLE frontline_owner", "SET SESSION AUTHORIZATION frontline_owner")
    if _IS_EMBEDDED
    else ()
)
_OURS = "c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
_FENCE = "(entity = frontline_entity())"


def names(connection: psycopg.Connection, question: str) -> set[str]:
    return {row[0] for row in connection.execute(question).fetchall()}


def test_every_table_but_the_named_ones_carries_its_legal_entity(owner_connection):
    without = names(
        owner_connection,
        f"SELECT c.relname FROM pg_class c WHERE {_OURS} AND NOT EXISTS (SELECT FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attname = 'entity' AND a.attnotnull)",
    )

    assert without == WITHOUT_ENTITY


def test_invariant_13_every_table_of_every_layer_is_fenced(owner_connection):
    fenced = names(
        owner_connection,
        f"SELECT c.relname FROM pg_class c WHERE {_OURS} AND c.relrowsecurity",
    )
    forced = names(
        owner_connection,
        f"SELECT c.relname FROM pg_class c WHERE {_OURS} AND c.relforcerowsecurity",
    )
    every = names(owner_connection, f"SELECT c.relname FROM pg_class c WHERE {_OURS}")

    assert fenced == every - WITHOUT_ENTITY
    assert forced == fenced - NOT_FORCED


def test_invariant_13_the_fence_is_the_same_around_every_table(owner_connection):
    policies = owner_connection.execute(
        "SELECT p.polrelid::regclass::text, p.polpermissive, p.polcmd::text, p.polroles::text,"
        " pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)"
        " FROM pg_policy p"
    ).fetchall()

    assert {row[1:] for row in policies} == {(True, "*", "{0}", _FENCE, _FENCE)}
    # A second permissive policy would widen the first.
    assert len({row[0] for row in policies}) == len(policies)


def test_no_view_looks_past_the_fence(owner_connection):
    views = names(
        owner_connection,
        "SELECT relname FROM pg_class"
        " WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace",
    )

    assert views == set()


@pytest.mark.parametrize("privilege", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_application_may_not_rewrite_what_is_append_only(owner_connection, privilege):
    append_only = names(
        owner_connection,
        "SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t"
        " JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'frontline_append_only'",
    )
    allowed = names(
        owner_connection,
        f"SELECT c.relname FROM pg_class c WHERE {_OURS}"
        f" AND has_table_privilege('frontline_app', c.oid, '{privilege}')",
    )

    assert {"ledger_transfer", "sentinel_decision", "sentinel_leaf"} <= append_only
    assert allowed & (append_only | NEVER_INSERTED) == set()


def test_invariant_01_the_application_writes_no_row_of_the_core(owner_connection):
    allowed = names(
        owner_connection,
        f"SELECT c.relname FROM pg_class c WHERE {_OURS}"
        " AND (has_any_column_privilege('frontline_app', c.oid, 'INSERT')"
        "   OR has_any_column_privilege('frontline_app', c.oid, 'UPDATE'))",
    )
    every = names(owner_connection, f"SELECT c.relname FROM pg_class c WHERE {_OURS}")

    assert every >= NEVER_INSERTED
    assert allowed & NEVER_INSERTED == set()


@pytest.mark.parametrize("table", sorted(NEVER_INSERTED))
def test_invariant_01_an_insert_is_refused_for_want_of_the_right(dsn, table):
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier(table)))


@pytest.mark.parametrize(
    "statement",
    [
        *_TAKING_THE_OWNERS_PLACE,
        "ALTER TABLE ledger_transfer DISABLE TRIGGER ALL",
        "ALTER TABLE ledger_transfer DISABLE ROW LEVEL SECURITY",
        "DROP POLICY entity_isolation ON ledger_transfer",
        "CREATE FUNCTION public.frontline_entity2() RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
        "ALTER FUNCTION frontline_entity() RENAME TO old_entity",
        "SET session_replication_role = replica",
        "CREATE EXTENSION plpython3u",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_invariant_01_the_application_cannot_raise_itself(dsn, statement):
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        pytest.raises(psycopg.Error) as refused,
    ):
        connection.execute(statement)

    assert refused.value.sqlstate in {"42501", "0A000", "58P01"}


def test_the_roles_are_no_more_than_they_need_be(owner_connection):
    roles = owner_connection.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
        " FROM pg_roles WHERE rolname IN ('frontline_app', 'frontline_owner')"
    ).fetchall()

    assert roles == [(False,), (False,)]


def test_a_function_of_the_owner_has_a_path_of_its_own(owner_connection):
    loose = names(
        owner_connection,
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.prosecdef AND n.nspname IN ('public', 'pgmq')"
        " AND NOT coalesce(p.proconfig @> ARRAY['search_path=public, pg_temp'], false)",
    )
    count = owner_connection.execute("SELECT count(*) FROM pg_proc WHERE prosecdef").fetchone()

    assert loose == set()
    assert count is not None
    assert count[0] > 20


def test_not_everybody_may_call_a_function_of_the_owner(owner_connection):
    # aclexplode of the default shows what holds where nothing was granted or revoked.
    open_to_all = names(
        owner_connection,
        "SELECT p.proname FROM pg_proc p,"
        " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " WHERE p.pronamespace = 'public'::regnamespace AND a.grantee = 0",
    )

    # One reads a setting, the other refuses; neither acts with the rights of its owner.
    assert open_to_all == {"frontline_append_only", "frontline_entity"}


def test_invariant_13_a_session_without_an_entity_reads_no_account(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in ("ledger_account", "core_party", "orch_document", "interaction_turn"):
            found = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchone()
            assert found == (0,)
