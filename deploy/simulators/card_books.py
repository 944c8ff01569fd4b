"""The simulated card processor's own books, in a file of its own: nothing of ours is in them."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

_TABLES = """
CREATE TABLE IF NOT EXISTS card (id TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS operation (
    token TEXT PRIMARY KEY, asked TEXT NOT NULL, status TEXT NOT NULL, code TEXT NOT NULL,
    reference TEXT NOT NULL
);
-- One line for each time something really changed, and one for each order that came in.
CREATE TABLE IF NOT EXISTS act (position INTEGER PRIMARY KEY, token TEXT, card TEXT, verb TEXT);
CREATE TABLE IF NOT EXISTS arrival (position INTEGER PRIMARY KEY, token TEXT, fault TEXT);
CREATE TABLE IF NOT EXISTS fault (name TEXT PRIMARY KEY, times INTEGER NOT NULL);
"""
STATEMENT_LINES_MAX = 100
_STATES = {"stop": "stopped", "release": "active"}


@dataclass(frozen=True, slots=True)
class Operation:
    """What became of one order."""

    token: str
    status: str
    code: str
    reference: str

    def shown(self) -> dict[str, object]:
        """Return it as the processor's JSON says it."""
        return {
            "token": self.token,
            "status": self.status,
            "code": self.code,
            "reference": self.reference,
        }


class Books:
    """Cards and orders; every method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open the books, and make them if there are none."""
        self._file = file
        with self._open() as cursor:
            cursor.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Cursor]:
        session = sqlite3.connect(self._file, timeout=20, isolation_level=None)
        try:
            session.execute("PRAGMA journal_mode = WAL")
            session.execute("PRAGMA synchronous = FULL")
            cursor = session.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            if session.in_transaction:
                session.commit()
        finally:
            session.close()

    def set_fault(self, name: str, times: int) -> None:
        """Do something wrong for a number of orders; none puts an end to it."""
        with self._open() as cursor:
            cursor.execute("INSERT OR REPLACE INTO fault VALUES (?, ?)", [name, times])

    def take_fault(self, token: str) -> str:
        """Note an order that came in and return what is to go wrong with it, or nothing."""
        with self._open() as cursor:
            row = cursor.execute(
                "SELECT name FROM fault WHERE times > 0 ORDER BY name LIMIT 1"
            ).fetchone()
            name = row[0] if row else ""
            cursor.execute("UPDATE fault SET times = times - 1 WHERE name = ?", [name])
            cursor.execute("INSERT INTO arrival (token, fault) VALUES (?, ?)", [token, name])
        return str(name)

    def carry_out(
        self,
        *,
        token: str,
        order: str,
        card_id: str,
        verb: str,
        is_refused: bool,
        is_later: bool,
    ) -> Operation:
        """Do an order once; the same order again is answered as before."""
        with self._open() as cursor:
            row = cursor.execute(
                "SELECT asked, status, code, reference FROM operation WHERE token = ?", [token]
            ).fetchone()
            if row is not None:
                if row[0] != order:
                    return Operation(token, "refused", "key_used_otherwise", "")
                return Operation(token, *row[1:])
            done = (
                Operation(token, "refused", "card_refused", "")
                if is_refused
                else self._new(cursor, token, card_id, verb)
            )
            if is_later:
                # The order lies on somebody's desk: it is done, but nobody says so yet.
                done = Operation(token, "in_progress", "in_progress", "")
            cursor.execute(
                "INSERT INTO operation VALUES (?, ?, ?, ?, ?)",
                [token, order, done.status, done.code, done.reference],
            )
            return done

    @staticmethod
    def _new(cursor: sqlite3.Cursor, token: str, card_id: str, verb: str) -> Operation:
        row = cursor.execute("SELECT state FROM card WHERE id = ?", [card_id]).fetchone()
        if verb == "release" and row is None:
            return Operation(token, "refused", "card_unknown", "")
        cursor.execute("INSERT OR REPLACE INTO card VALUES (?, ?)", [card_id, _STATES[verb]])
        cursor.execute(
            "INSERT INTO act (token, card, verb) VALUES (?, ?, ?)", [token, card_id, verb]
        )
        return Operation(token, "done", _STATES[verb], f"CP-{uuid4().hex[:12]}")

    def operation(self, token: str) -> Operation | None:
        """Return what became of an order; one that lay on a desk is finished when asked for."""
        with self._open() as cursor:
            cursor.execute(
                "UPDATE operation SET status = 'done', code = 'done', reference = 'CP-later'"
                " WHERE token = ? AND status = 'in_progress'"
                " AND EXISTS (SELECT 1 FROM fault WHERE name = 'later' AND times = 0)",
                [token],
            )
            row = cursor.execute(
                "SELECT token, status, code, reference FROM operation WHERE token = ?", [token]
            ).fetchone()
        return Operation(*row) if row else None

    def statement(self, after: int) -> Mapping[str, object]:
        """Return the next page of what was really done, in its order."""
        with self._open() as cursor:
            acts = cursor.execute(
                "SELECT position, token FROM act WHERE position > ? ORDER BY position LIMIT ?",
                [after, STATEMENT_LINES_MAX + 1],
            ).fetchall()
        lines = [{"position": at, "token": token} for at, token in acts[:STATEMENT_LINES_MAX]]
        return {"done": lines, "is_more": len(acts) > STATEMENT_LINES_MAX}

    def shown(self) -> Mapping[str, object]:
        """Return the books: how cards stand, what was really done, and what came in."""
        with self._open() as cursor:
            cards = dict(cursor.execute("SELECT id, state FROM card").fetchall())
            acts = cursor.execute("SELECT token, card, verb FROM act ORDER BY position").fetchall()
            came = cursor.execute("SELECT token, fault FROM arrival ORDER BY position").fetchall()
        return {"cards": cards, "acts": acts, "arrivals": came}
