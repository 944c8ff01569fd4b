"""The writes of one ingested batch, set by set: as many statements as tables, not as events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import connection

from nexus.events import AccountOpened
from nexus.reducers import Changes, NewEdge, NewFact, NewNode, NewTransaction


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
    with connection.cursor() as cursor:
        cursor.execute("SELECT cursor FROM nexus_cursor WHERE feed = %s", [feed])
        row = cursor.fetchone()
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
    _write_changes(changes.topics)


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
            SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
                                 %s::timestamptz[], %s::timestamptz[], %s::bool[], %s::text[],
                                 %s::uuid[], %s::smallint[], %s::text[])
            ON CONFLICT DO NOTHING
            """,
            _columns(
                [
                    (
                        each.id,
                        each.subject,
                        each.name,
                        each.key,
                        json.dumps(each.value),
                        each.valid_from,
                        each.valid_to,
                        each.is_retracted,
                        each.source,
                        each.event_id,
                        each.confidence_permille,
                        each.purpose_class,
                    )
                    for each in facts
                ]
            ),
        )
        return int(cursor.rowcount)


def write_nodes(*, nodes: Sequence[NewNode]) -> None:
    """Replace the present picture of each thing named."""
    if not nodes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO nexus_node (id, kind, customer_id, attributes)
            SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::jsonb[])
            ON CONFLICT (id) DO UPDATE
               SET attributes = nexus_node.attributes || EXCLUDED.attributes,
                   customer_id = coalesce(EXCLUDED.customer_id, nexus_node.customer_id),
                   updated_at = clock_timestamp()
            """,
            _columns(
                [(n.id, n.kind, n.customer_id, json.dumps(dict(n.attributes))) for n in nodes]
            ),
        )


def write_edges(*, edges: Sequence[NewEdge]) -> None:
    """Keep relations that are not there yet."""
    if not edges:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO nexus_edge (source, relation, target, valid_from, event_id)
            SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::uuid[])
            ON CONFLICT DO NOTHING
            """,
            _columns([(e.source, e.relation, e.target, e.valid_from, e.event_id) for e in edges]),
        )


def _write_accounts(accounts: Sequence[AccountOpened]) -> None:
    if not accounts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO nexus_account_state (account_id, customer_id, iban, kind, currency, name,
                                             status, opened_on, booked_minor_units,
                                             held_minor_units)
            SELECT *, 0, 0 FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
                                       %s::text[], %s::text[], %s::date[])
            ON CONFLICT (account_id) DO NOTHING
            """,
            _columns(
                [
                    (
                        a.account_id,
                        a.party_id,
                        a.iban,
                        a.kind,
                        a.currency,
                        a.name,
                        a.status,
                        a.opened_on,
                    )
                    for a in accounts
                ]
            ),
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
                SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::text[],
                                     %s::timestamptz[], %s::date[], %s::text[], %s::text[],
                                     %s::text[], %s::text[], %s::text[], %s::uuid[])
                ON CONFLICT DO NOTHING
                RETURNING account_id, amount_minor_units)
            SELECT account_id, sum(amount_minor_units)::bigint FROM added GROUP BY account_id
            """,
            _columns([_booking_row(booking) for booking in bookings]),
        )
        return dict(cursor.fetchall())


def _booking_row(booking: NewTransaction) -> tuple[object, ...]:
    return (
        booking.transfer_id,
        booking.account_id,
        booking.customer_id,
        booking.amount_minor_units,
        booking.currency,
        booking.booked_at,
        booking.booked_at.date(),
        booking.counterparty_name,
        booking.counterparty_iban,
        booking.remittance,
        booking.category,
        booking.end_to_end_id,
        booking.decision_id,
    )


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


def _write_changes(topics: Mapping[UUID, set[str]]) -> None:
    if not topics:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_change (customer_id, topics)"
            " SELECT * FROM unnest(%s::uuid[], %s::jsonb[])",
            [list(topics), [json.dumps(sorted(names)) for names in topics.values()]],
        )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Turn rows into the column arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)]
