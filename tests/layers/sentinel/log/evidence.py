"""A log to tamper with, the hands that do it, and the verifier that must notice."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from django.db import connection

from sentinel.bundle import export_evidence
from sentinel.log.merkle import EMPTY, extend
from sentinel.log.note import Checkpoint, origin_of, signed_note
from sentinel.log.proofs import short_checkpoint
from sentinel.log.records import append, leaf_of
from sentinel.log.sequencer import log_signer, run_sequencer_once
from sentinel.verify import frontline_verify

ENTITY = "meridian-nl"


def grow(count: int, *, case_id: UUID | None = None) -> list[UUID]:
    """Add decisions that were allowed and executed, and seal them under one checkpoint."""
    ids = []
    with connection.cursor() as cursor:
        for number in range(count):
            decision = uuid4()
            for kind in ("issued", "executed"):
                body = {"amount": f"{100 + number}.00", "step": kind}
                ids.append(
                    append(cursor, kind=kind, body=body, decision_id=decision, case_id=case_id)
                )
    while run_sequencer_once():
        pass
    return ids


def export(path: Path, **scope) -> Path:
    path.write_bytes(export_evidence(**scope))
    return path


def held() -> str:
    """Copy the newest checkpoint, as a person would."""
    short = short_checkpoint()
    assert short is not None
    return short


class Verdict:
    """What the verifier's command says about a bundle."""

    def __init__(self, capsys, path: Path, checkpoint: str | None) -> None:
        given = ["--checkpoint", checkpoint] if checkpoint else []
        capsys.readouterr()
        self.status = frontline_verify.main([str(path), "--json", *given])
        self.report = json.loads(capsys.readouterr().out)
        frontline_verify.main([str(path), *given])
        self.words = capsys.readouterr().out

    @property
    def codes(self) -> list[str]:
        return [finding["code"] for finding in self.report["findings"]]

    def indexes(self, code: str) -> list[int]:
        return [
            record["index"]
            for finding in self.report["findings"]
            if finding["code"] == code
            for record in finding["records"]
        ]


class Tamperer:
    """A superuser of the database, to whom no trigger and no grant applies."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.session = session

    def run(self, sql: str, *parameters: object) -> None:
        with self.session.transaction():
            self.session.execute("SET LOCAL session_replication_role = replica")
            self.session.execute(sql, parameters)

    def edit_body(self, record_id: UUID) -> None:
        self.run(
            "UPDATE sentinel_record SET body = convert_to(regexp_replace("
            "convert_from(body, 'UTF8'), '\"amount\":\"1', '\"amount\":\"9'), 'UTF8')"
            " WHERE id = %s",
            record_id,
        )

    def rewrite_leaf(self, record_id: UUID) -> None:
        """Make the leaf fit the record as it is now."""
        body, at = self.session.execute(
            "SELECT body, recorded_at FROM sentinel_record WHERE id = %s", [record_id]
        ).fetchone()
        leaf = leaf_of(at, body)
        self.run("UPDATE sentinel_record SET leaf = %s WHERE id = %s", leaf, record_id)
        self.run("UPDATE sentinel_leaf SET leaf = %s WHERE record_id = %s", leaf, record_id)

    def resign(self, signer=None) -> None:
        """Sign every checkpoint again over whatever the leaves are now."""
        rows = self.session.execute("SELECT leaf FROM sentinel_leaf ORDER BY idx").fetchall()
        sizes = self.session.execute("SELECT size FROM sentinel_checkpoint").fetchall()
        for (size,) in sizes:
            frontier, _ = extend(EMPTY, [leaf for (leaf,) in rows[:size]])
            checkpoint = Checkpoint(origin_of(ENTITY), size, frontier.root())
            self.run(
                "UPDATE sentinel_checkpoint SET root = %s, frontier = %s, note = %s"
                " WHERE size = %s",
                checkpoint.root,
                list(frontier.hashes),
                signed_note(checkpoint, signer or log_signer(ENTITY)),
                size,
            )

    def truncate(self, size: int) -> None:
        """Make the log end where an earlier checkpoint ends."""
        self.run(
            "DELETE FROM sentinel_record WHERE id IN"
            " (SELECT record_id FROM sentinel_leaf WHERE idx >= %s)",
            size,
        )
        self.run("DELETE FROM sentinel_leaf WHERE idx >= %s", size)
        self.run("DELETE FROM sentinel_cosignature WHERE size > %s", size)
        self.run("DELETE FROM sentinel_checkpoint WHERE size > %s", size)
