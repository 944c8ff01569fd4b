"""Moving running cases to another version, one by one, once a change was agreed."""

import json
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction

from orchestration import cases
from orchestration.core import MigrationRefused, Verdict, migrate
from orchestration.core.events import Migrated
from orchestration.durable import engine, store
from orchestration.durable.definitions import flow_of
from orchestration.durable.faults import crash_point
from orchestration.versions.verdicts import judged, unsettled_effects

MOVED, STAYED = "moved", "stayed"


def move_agreed_once(*, limit: int = 50) -> int:
    """Move the next running cases whose change was agreed; return how many were looked at.

    Each is moved in a commit of its own. What cannot move stays in its version and says why.
    """
    looked_at = 0
    while looked_at < limit:
        with transaction.atomic():
            asked = _next_asked()
            if asked is None:
                break
            decision_id, instance_id, old, new, mapping, moved_by, at = asked
            words = _move(instance_id, decision_id, old, new, mapping, moved_by, at)
            crash_point("before_commit")
            _note(decision_id, instance_id, words)
        looked_at += 1
    return looked_at


def _next_asked() -> tuple[UUID, UUID, str, str, dict[str, str], str, datetime] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT decision_id, instance_id, old_digest, new_digest, mapping, moved_by,
                   clock_timestamp()
              FROM orch_move WHERE state = 'due'
             ORDER BY asked_at, instance_id LIMIT 1 FOR UPDATE SKIP LOCKED
            """
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return (*row[:4], json.loads(row[4]), row[5], row[6])


def _move(  # noqa: PLR0913, PLR0917  (the columns of one row)
    instance_id: UUID,
    decision_id: UUID,
    old_digest: str,
    new_digest: str,
    mapping: dict[str, str],
    moved_by: str,
    at: datetime,
) -> str:
    """Move one instance under its lock and return why it stayed, or nothing."""
    row = store.lock_instance(instance_id, is_waiting=True)
    if row is None or row.state.is_ended:
        return "It has ended meanwhile."
    if row.definition != old_digest:
        return "It runs in another version meanwhile."
    old, new = flow_of(old_digest), flow_of(new_digest)
    before, after = old.definition, new.definition
    unsettled = unsettled_effects([instance_id], mapping).get(instance_id, ())
    found = judged(old=before, new=after, state=row.state, mapping=mapping, unsettled=unsettled)
    if found.verdict is not Verdict.SAFE:
        return found.obstacles[0].words
    try:
        step = migrate(old=before, new=after, state=row.state, at=at, mapping=mapping)
    except MigrationRefused as refused:
        return refused.words
    event = Migrated(old_digest, new_digest, tuple(sorted(mapping.items())), moved_by)
    run = engine.bench(replace(row, definition=new_digest), at)
    engine.go_over(run, event, step)
    store.set_definition(instance_id, new_digest)
    message_id = uuid5(decision_id, str(instance_id))
    store.take_in(instance_id=instance_id, message_id=message_id, event=event, at=at)
    words = f"Goes on in version {new.version} of {new.process}, was in version {old.version}."
    cases.add_note(row.case_id, cases.Note(at, "system", "migrated", words, moved_by))
    return ""


def _note(decision_id: UUID, instance_id: UUID, words: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_move SET state = %s, words = %s, ended_at = clock_timestamp()"
            " WHERE decision_id = %s AND instance_id = %s",
            [STAYED if words else MOVED, words, decision_id, instance_id],
        )
