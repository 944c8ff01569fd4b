"""What the terminal says once the bank runs: where to sign in, and the first checkpoint."""

import json
from pathlib import Path

from django.conf import settings

from sentinel import public as sentinel

SIGN_IN_FILE = "sign-in.json"


def welcome_lines(*, url: str) -> list[str]:
    """Return the lines a newcomer reads first."""
    lines = ["", f"The bank runs at {url}", ""]
    lines += _sign_in_lines(settings.FRONTLINE_HOME / SIGN_IN_FILE, url)
    lines += _checkpoint_lines()
    lines += [f"Keys are in {settings.KEYS_DIR}, readable by you only.", "Ctrl-C stops everything."]
    return lines


def _sign_in_lines(path: Path, url: str) -> list[str]:
    """Return one line per person of the sample bank, from the file its seed left."""
    if not path.exists():
        return []
    people = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (person["role"], person["username"], person["password"], f"{url}{person['where']}")
        for person in people
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "Sign in as",
        *(
            "  "
            + "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
            for row in rows
        ),
        f"  (kept in {path})",
        "",
    ]


def _checkpoint_lines() -> list[str]:
    """Return the newest checkpoint of each legal entity's log, short enough to copy by hand."""
    if not hasattr(sentinel, "short_checkpoint"):
        return []
    lines = []
    for entity in sentinel.legal_entities():
        with sentinel.legal_entity(entity=entity.entity):
            lines.append(f"  {entity.name}: {sentinel.short_checkpoint()}")
    return ["Checkpoint of the log, to copy on paper", *lines, ""] if lines else []
