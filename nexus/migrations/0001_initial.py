"""Tables of Nexus: facts that are never rewritten, and the read models kept beside them."""

from django.db import migrations

FACTS = """
-- One thing held to be true of a subject: valid since, known since, said by whom.
CREATE TABLE nexus_fact (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    subject text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value jsonb NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    known_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_retracted boolean NOT NULL,
    source text NOT NULL,
    event_id uuid NOT NULL,
    confidence_permille smallint NOT NULL CHECK (confidence_permille BETWEEN 0 AND 1000),
    purpose_class text NOT NULL,
    CONSTRAINT nexus_fact_once UNIQUE (entity, event_id, subject, name, key),
    CONSTRAINT nexus_fact_period CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX nexus_fact_lookup
    ON nexus_fact (entity, subject, name, key, valid_from DESC, known_from DESC);
SELECT frontline_protect('nexus_fact', 'append_only');
"""

GRAPHS = """
-- The things both graphs speak of, as known now; what was known before stands in the facts.
CREATE TABLE nexus_node (
    id text COLLATE "C" PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    kind text NOT NULL,
    customer_id uuid,
    attributes jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX nexus_node_customer ON nexus_node (entity, customer_id, kind);
SELECT frontline_protect('nexus_node', 'mutable');

CREATE TABLE nexus_edge (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    source text COLLATE "C" NOT NULL,
    relation text NOT NULL,
    target text COLLATE "C" NOT NULL,
    valid_from timestamptz NOT NULL,
    event_id uuid NOT NULL,
    CONSTRAINT nexus_edge_once UNIQUE (entity, source, relation, target)
);
CREATE INDEX nexus_edge_back ON nexus_edge (entity, target, relation);
SELECT frontline_protect('nexus_edge', 'append_only');
"""

VIEWS = """
-- What an account holds at the position ingested so far, in minor units.
CREATE TABLE nexus_account_state (
    account_id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    customer_id uuid,
    iban text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    opened_on date NOT NULL,
    booked_minor_units bigint NOT NULL DEFAULT 0,
    held_minor_units bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX nexus_account_customer ON nexus_account_state (entity, customer_id);
CREATE INDEX nexus_account_iban ON nexus_account_state (entity, iban);
SELECT frontline_protect('nexus_account_state', 'mutable');

-- One booking as the owner of one account sees it; money out is negative.
CREATE TABLE nexus_transaction (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    transfer_id uuid NOT NULL,
    account_id uuid NOT NULL,
    customer_id uuid,
    amount_minor_units bigint NOT NULL,
    currency text NOT NULL,
    booked_at timestamptz NOT NULL,
    booking_date date NOT NULL,
    known_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    counterparty_name text NOT NULL,
    counterparty_iban text COLLATE "C" NOT NULL,
    remittance text NOT NULL,
    category text NOT NULL,
    end_to_end_id text NOT NULL,
    decision_id uuid,
    CONSTRAINT nexus_transaction_once UNIQUE (entity, transfer_id, account_id)
);
CREATE INDEX nexus_transaction_page
    ON nexus_transaction (entity, account_id, booked_at DESC, id DESC);
CREATE INDEX nexus_transaction_customer
    ON nexus_transaction (entity, customer_id, booked_at DESC, id DESC);
SELECT frontline_protect('nexus_transaction', 'append_only');
"""

FEEDS = """
-- How far a feed has been ingested; the row lock is the fence between ingesters.
CREATE TABLE nexus_cursor (
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    feed text COLLATE "C" NOT NULL,
    cursor text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity, feed)
);
SELECT frontline_protect('nexus_cursor', 'mutable');

-- A context package as handed out: which facts, what was left out, and its digest.
CREATE TABLE nexus_snapshot (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    subject text COLLATE "C" NOT NULL,
    purpose text NOT NULL,
    case_id uuid,
    digest text NOT NULL,
    body jsonb NOT NULL,
    taken_at timestamptz NOT NULL
);
CREATE INDEX nexus_snapshot_case ON nexus_snapshot (entity, case_id);
SELECT frontline_protect('nexus_snapshot', 'append_only');

-- Nexus's own feed: whose picture has moved.
CREATE TABLE nexus_change (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    customer_id uuid NOT NULL,
    topics jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX nexus_change_feed ON nexus_change (entity, xact, position);
SELECT frontline_protect('nexus_change', 'append_only');
"""

TABLES = (
    "nexus_change, nexus_snapshot, nexus_cursor, nexus_transaction, nexus_account_state,"
    " nexus_edge, nexus_node, nexus_fact"
)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("sentinel", "0001_initial")]
    operations = [
        migrations.RunSQL(FACTS + GRAPHS + VIEWS + FEEDS, f"DROP TABLE {TABLES}"),
    ]
