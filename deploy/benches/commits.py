"""The physical limit most benches stand beside: one row inserted and committed, as the owner."""

import uuid
from collections.abc import Callable

import psycopg
from django.conf import settings

from deploy.settings.database import conninfo


def make_table() -> None:
    """Make the scratch table of the bare commits."""
    with psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE IF NOT EXISTS bench_row (id uuid PRIMARY KEY, body jsonb NOT NULL)"
        )


def bare_commit(_index: int) -> Callable[[], int]:
    """Return one insert and its commit on a connection of its own, prepared by the driver."""
    connection = psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True)
    cursor = connection.cursor()

    def commit_one_row() -> int:
        cursor.execute(
            "INSERT INTO bench_row (id, body) VALUES (%s, '{\"issued\": 1}')", [uuid.uuid4()]
        )
        return 1

    return commit_one_row
