"""`manage.py tamper`: edit a past record as the database's superuser, to see it found.

No trigger and no grant stops a superuser. What finds the edit is a checkpoint kept outside.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentinel.log.records import leaf_of
from sentinel.management.log_choice import chosen_entity

# A digit inside the amount or a hash, which is what somebody would want to change.
_TARGET = re.compile(rb'"((?:[a-z_]*amount[a-z_]*|[a-z_]*hash|[a-z_]*digest))":"?([0-9a-f.]*\d)')
_ANY_DIGIT = re.compile(rb'"([a-z_]+)":"?([^",}]*\d)')
_FIND = """
SELECT r.id, r.kind, r.entity, l.idx, r.body, r.recorded_at
FROM sentinel_record r JOIN sentinel_leaf l ON l.record_id = r.id
"""


@dataclass(frozen=True, slots=True)
class _Edit:
    """One digit of a record's words, changed."""

    field: str
    before: str
    after: str
    body: bytes


class Command(BaseCommand):
    help = (
        "Edit one digit of a past record as the database's superuser, past every trigger and"
        " grant, so that frontline-verify can be seen finding it. Sample banks only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--record", type=UUID, help="the record (default: the last permit)")
        parser.add_argument("--entity", help="whose last permit (default: whose log began first)")
        parser.add_argument(
            "--rewrite-leaf", action="store_true", help="also make the log's leaf fit the edit"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        if not settings.FRONTLINE_SAMPLE_BANK:
            raise CommandError("This is not a sample bank: its evidence stays as it is.")
        with _superuser() as session:
            record = _record(session, options["record"], options["entity"])
            edit = _edit(bytes(record[4]))
            self._confirm(record, is_sure=options["yes"])
            _write(session, record, edit, is_leaf_rewritten=options["rewrite_leaf"])
        self._explain(record, edit, is_leaf_rewritten=options["rewrite_leaf"])

    def _confirm(self, record: tuple[Any, ...], *, is_sure: bool) -> None:
        record_id, kind, entity, index, *_ = record
        self.stdout.write(f"Record {index} of {entity} ({kind}, {record_id}) will be falsified.")
        if is_sure:
            return
        try:
            answer = input("Did you copy a checkpoint first? Type yes to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            raise CommandError("Nothing was changed.")

    def _explain(self, record: tuple[Any, ...], edit: _Edit, *, is_leaf_rewritten: bool) -> None:
        _, _, entity, index, *_ = record
        rewritten = ", and the log's leaf was made to fit" if is_leaf_rewritten else ""
        self.stdout.write(
            f'Record {index} now says "{edit.field}": {edit.after}'
            f" instead of {edit.before}{rewritten}.\n\n"
            "Let an outsider find it, with the checkpoint you copied before:\n"
            f"  .venv/bin/python manage.py export_evidence --entity {entity} --out evidence.zip\n"
            '  .venv/bin/frontline-verify evidence.zip --checkpoint "THE CHECKPOINT YOU COPIED"\n\n'
            "It cannot find changes to records made after the checkpoint was copied."
        )


def _superuser() -> psycopg.Connection:
    place = settings.DATABASE_ADMINISTRATOR
    named = {
        "host": place["HOST"],
        "port": place["PORT"],
        "dbname": place["NAME"],
        "user": place["USER"],
        "password": place["PASSWORD"],
    }
    try:
        return psycopg.connect(**{name: value for name, value in named.items() if value})
    except psycopg.OperationalError as error:
        raise CommandError(f"The database's superuser could not sign in: {error}") from error


def _record(
    session: psycopg.Connection, record_id: UUID | None, entity: str | None
) -> tuple[Any, ...]:
    if record_id is not None:
        found = session.execute(f"{_FIND} WHERE r.id = %s", [record_id]).fetchone()
    else:
        found = session.execute(
            f"{_FIND} WHERE r.entity = %s AND r.kind IN ('executed', 'issued')"
            " ORDER BY (r.kind = 'issued') DESC, l.idx DESC LIMIT 1",
            [chosen_entity(entity)],
        ).fetchone()
    if found is None:
        raise CommandError("There is no such record in the log yet.")
    return found


def _edit(body: bytes) -> _Edit:
    """Change the last digit of the first amount, hash or other number among the record's words."""
    start = body.index(b'"content":')
    found = _TARGET.search(body, start) or _ANY_DIGIT.search(body, start)
    if found is None:
        raise CommandError("The record holds no digit to change.")
    last = found.end(2) - 1
    digit = b"%d" % ((int(body[last : last + 1]) + 1) % 10)
    before = found[2].decode()
    return _Edit(
        field=found[1].decode(),
        before=before,
        after=before[:-1] + digit.decode(),
        body=body[:last] + digit + body[last + 1 :],
    )


def _write(
    session: psycopg.Connection, record: tuple[Any, ...], edit: _Edit, *, is_leaf_rewritten: bool
) -> None:
    record_id, recorded_at = record[0], record[5]
    try:
        with session.transaction():
            session.execute("SET LOCAL session_replication_role = replica")
            session.execute(
                "UPDATE sentinel_record SET body = %s WHERE id = %s", [edit.body, record_id]
            )
            if is_leaf_rewritten:
                leaf = leaf_of(recorded_at, edit.body)
                session.execute(
                    "UPDATE sentinel_record SET leaf = %s WHERE id = %s", [leaf, record_id]
                )
                session.execute(
                    "UPDATE sentinel_leaf SET leaf = %s WHERE record_id = %s", [leaf, record_id]
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise CommandError(
            "This takes the database's superuser: name it in DATABASE_ADMIN_URL."
        ) from error
