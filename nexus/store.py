"""The writes of one ingested batch, set by set: as many statements as tables, not as events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from django.db import connection

from nexus.events import AccountOpened, PostedTransfer
from nexus.reducers import Changes, NewEdge, NewFact, NewNode, NewTransaction
from sentinel.public import count_written, run_statement

Row = Mapping[str, object]


def lock_cursor(*, feed: str) -> str:
    """Return how far a feed has been read, holding its row until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_cursor (feed, cursor) VALUES (%s, '')"
            " ON CONFLICT (entity, feed) DO NOTHING",
            [feed],
        )
        cursor.execute("SELECT cursor FROM nexus_cursor WHERE feed = %s FOR UPDATE", [feed])
        (position,) = cursor.fetchone()
    return str(position)


def cursor_of(*, feed: str) -> str:
    """Return how far a feed has been read, without waiting for whoever is reading it."""
    rows = run_statement(sql="SELECT cursor FROM nexus_cursor WHERE feed = %s", parameters=[feed])
    row = rows[0] if rows else None
    return str(row[0]) if row else ""


def move_cursor(*, feed: str, cursor: str) -> None:
    """Note how far a feed has been read."""
    with connection.cursor() as statement:
        statement.execute(
            "UPDATE nexus_cursor SET cursor = %s, updated_at = clock_timestamp() WHERE feed = %s",
            [cursor, feed],
        )


def owners_of(*, accounts: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Return the customer behind each account that is known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, customer_id FROM nexus_account_state WHERE account_id = ANY(%s)",
            [list(set(accounts))],
        )
        return dict(cursor.fetchall())


def write(*, changes: Changes) -> None:
    """Write a batch: facts, read models, graph, and the line of Nexus's own feed."""
    write_facts(facts=changes.facts)
    _write_accounts(changes.accounts)
    _write_statuses(changes.statuses)
    booked = _write_transactions(changes.transactions)
    _move_balances(booked=booked, held=changes.held)
    write_nodes(nodes=list(changes.nodes.values()))
    write_edges(edges=changes.edges)
    _write_changes(changes.topics, changes.posted)


def write_facts(*, facts: Sequence[NewFact]) -> int:
    """Keep facts that are not there yet and return how many were new."""
    if not facts:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO nexus_fact (id, subject, name, key, value, valid_from, valid_to,
                                    is_retracted, source, event_id, confidence_permille,
                                    purpose_class)
            SELECT id, subject, name, key, coalesce(value, 'null'), valid_from, valid_to,
                   is_retracted, source, event_id, confidence_permille, purpose_class
              FROM jsonb_to_recordset(%s::jsonb) AS fact(
                id uuid, subject text, name text, key text, value jsonb, valid_from timestamptz,
                valid_to timestamptz, is_retracted boolean, source text, event_id uuid,
                confidence_permille smallint, purpose_class text)
            ON CONFLICT DO NOTHING
            """,
            [_rows(_fact_row(fact) for fact in facts)],
        )
        return int(cursor.rowcount)


def _fact_row(fact: NewFact) -> Row:
    return {
        "id": fact.id,
        "subject": fact.subject,
        "name": fact.name,
        "key": fact.key,
        "value": fact.value,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
        "is_retracted": fact.is_retracted,
        "source": fact.source,
        "event_id": fact.event_id,
        "confidence_permille": fact.confidence_permille,
        "purpose_class": fact.purpose_class,
    }


def write_nodes(*, nodes: Sequence[NewNode]) -> None:
    """Replace the present picture of each thing named."""
    if not nodes:
        return
    rows = (
        {
            "id": node.id,
            "kind": node.kind,
            "customer_id": node.customer_id,
            "attributes": node.attributes,
        }
        for node in nodes
    )
    count_written(
        sql="""
        INSERT INTO nexus_node (id, kind, customer_id, attributes)
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS node(
            id text, kind text, customer_id uuid, attributes jsonb)
        ON CONFLICT (id) DO UPDATE
           SET attributes = nexus_node.attributes || EXCLUDED.attributes,
               customer_id = coalesce(EXCLUDED.customer_id, nexus_node.customer_id),
               updated_at = clock_timestamp()
        """,
        parameters=[_rows(rows)],
    )


def write_edges(*, edges: Sequence[NewEdge]) -> None:
    """Keep relations that are not there yet."""
    if not edges:
        return
    rows = (
        {
            "source": edge.source,
            "relation": edge.relation,
            "target": edge.target,
            "valid_from": edge.valid_from,
            "event_id": edge.event_id,
        }
        for edge in edges
    )
    count_written(
        sql="""
        INSERT INTO nexus_edge (source, relation, target, valid_from, event_id)
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS edge(
            source text, relation text, target text, valid_from timestamptz, event_id uuid)
        ON CONFLICT DO NOTHING
        """,
        parameters=[_rows(rows)],
    )


def _write_accounts(accounts: Sequence[AccountOpened]) -> None:
    if not accounts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO nexus_account_state (account_id, customer_id, iban, kind, currency, name,
                                             status, opened_on)
            SELECT * FROM jsonb_to_recordset(%s::jsonb) AS account(
                account_id uuid, party_id uuid, iban text, kind text, currency text, name text,
                status text, opened_on date)
            ON CONFLICT (account_id) DO NOTHING
            """,
            [_rows(account.model_dump() for account in accounts)],
        )


def _write_statuses(statuses: Mapping[UUID, str]) -> None:
    if not statuses:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE nexus_account_state AS state
               SET status = changed.status, updated_at = clock_timestamp()
              FROM unnest(%s::uuid[], %s::text[]) AS changed(account_id, status)
             WHERE state.account_id = changed.account_id
            """,
            [list(statuses), list(statuses.values())],
        )


def _write_transactions(bookings: Sequence[NewTransaction]) -> dict[UUID, int]:
    """Keep bookings that are not there yet and return what the new ones add to each account."""
    if not bookings:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH added AS (
                INSERT INTO nexus_transaction (transfer_id, account_id, customer_id,
                    amount_minor_units, currency, booked_at, booking_date, counterparty_name,
                    counterparty_iban, remittance, category, end_to_end_id, decision_id)
                SELECT * FROM jsonb_to_recordset(%s::jsonb) AS booking(
                    transfer_id uuid, account_id uuid, customer_id uuid, amount bigint,
                    currency text, booked_at timestamptz, booking_date date, name text, iban text,
                    remittance text, category text, end_to_end_id text, decision_id uuid)
                ON CONFLICT DO NOTHING
                RETURNING account_id, amount_minor_units)
            SELECT account_id, sum(amount_minor_units)::bigint FROM added GROUP BY account_id
            """,
            [_rows(_booking_row(booking) for booking in bookings)],
        )
        return dict(cursor.fetchall())


def _booking_row(booking: NewTransaction) -> Row:
    return {
        "transfer_id": booking.transfer_id,
        "account_id": booking.account_id,
        "customer_id": booking.customer_id,
        "amount": booking.amount_minor_units,
        "currency": booking.currency,
        "booked_at": booking.booked_at,
        "booking_date": booking.booked_at.date(),
        "name": booking.counterparty_name,
        "iban": booking.counterparty_iban,
        "remittance": booking.remittance,
        "category": booking.category,
        "end_to_end_id": booking.end_to_end_id,
        "decision_id": booking.decision_id,
    }


def _move_balances(*, booked: Mapping[UUID, int], held: Mapping[UUID, int]) -> None:
    moved = sorted(booked.keys() | held.keys())
    if not moved:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE nexus_account_state AS state
               SET booked_minor_units = state.booked_minor_units + moved.booked,
                   held_minor_units = state.held_minor_units + moved.held,
                   updated_at = clock_timestamp()
              FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS moved(account_id, booked, held)
             WHERE state.account_id = moved.account_id
            """,
            [
                moved,
                [booked.get(account, 0) for account in moved],
                [held.get(account, 0) for account in moved],
            ],
        )


def _write_changes(
    topics: Mapping[UUID, set[str]], posted: Mapping[UUID, Sequence[PostedTransfer]]
) -> None:
    if not topics:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_change (customer_id, topics, posted)"
            " SELECT * FROM unnest(%s::uuid[], %s::jsonb[], %s::jsonb[])",
            [
                list(topics),
                [json.dumps(sorted(names)) for names in topics.values()],
                [_rows(asdict(each) for each in posted.get(customer, ())) for customer in topics],
            ],
        )


def _rows(rows: Iterable[Row]) -> str:
    """Return rows as one text: the driver quotes an array of many values at ten times the cost."""
    return json.dumps(list(rows), default=str)
