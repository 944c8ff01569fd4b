"""What was done once in the life of a database."""

from django.db import connection


def is_reached(name: str) -> bool:
    """Return whether the milestone of this name was reached in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM deploy_milestone WHERE name = %s", [name])
        return cursor.fetchone() is not None


def reach(name: str) -> None:
    """Record the milestone; a second time changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deploy_milestone (name) VALUES (%s) ON CONFLICT DO NOTHING", [name]
        )
