"""What the terminal says once the bank runs: where to sign in, and the first checkpoint."""

import json
from pathlib import Path

from django.conf import settings

from sentinel import public as sentinel


def welcome_lines(*, url: str, process: int | None = None) -> list[str]:
    """Return the lines a newcomer reads first."""
    lines = ["", f"The bank runs at {url}", ""]
    lines += _sign_in_lines(Path(settings.SIGN_IN_FILE), url)
    lines += _checkpoint_lines()
    lines += [f"Keys are in {settings.KEYS_DIR}, readable by you only.", _end(process)]
    return lines


def _end(process: int | None) -> str:
    """Return how to end the bank, politely or as a power cut would."""
    if process is None:
        return "Ctrl-C stops everything."
    return f"Ctrl-C stops everything; kill -9 {process} pulls the plug."


def _sign_in_lines(path: Path, url: str) -> list[str]:
    """Return one line per employee and one customer of the first bank, as its seed left them."""
    if not path.exists():
        return []
    everyone = json.loads(path.read_text(encoding="utf-8"))
    people = [person for person in everyone if person["entity"] == everyone[0]["entity"]]
    customers = [person for person in people if "customer" in person["roles"]]
    employees = [person for person in people if "customer" not in person["roles"]]
    rows = [
        (_in_words(person["roles"]), person["username"], person["password"])
        for person in customers[:1] + employees
    ]
    role_width, name_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [
        f"Sign in at {url}/sign-in/ as",
        *(
            f"  {role:{role_width}}  {name:{name_width}}  {password}"
            for role, name, password in rows
        ),
        f"  everybody else: {path}",
        "",
    ]


def _in_words(roles: list[str]) -> str:
    return ", ".join(role.replace("_", " ") for role in roles)


def _checkpoint_lines() -> list[str]:
    """Return the newest checkpoint of each legal entity's log, short enough to copy by hand."""
    if not hasattr(sentinel, "short_checkpoint"):
        return []
    lines = []
    for entity in sentinel.legal_entities():
        with sentinel.legal_entity(entity=entity.entity):
            lines.append(f"  {entity.name}: {sentinel.short_checkpoint()}")
    return ["Checkpoint of the log, to copy on paper", *lines, ""] if lines else []
