#!/usr/bin/env python3
"""Run a management command for the bank."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from django.core.management import execute_from_command_line

from deploy.embedded.session import borrowed
from deploy.home import home

# These start the database themselves, expect a running one, or need none.
_WITHOUT_DATABASE = frozenset(
    {
        "",
        "bench",
        "check",
        "collectstatic",
        "flow",
        "help",
        "makemigrations",
        "restore",
        "tick",
        "up",
        "version",
        "web",
        "worker",
    }
)
# Of a command that needs none otherwise, what does.
_WITH_DATABASE = frozenset({("flow", "fork")})


def _say(words: str) -> None:
    sys.stderr.write(f"  {words}\n")


def _database(command: str, *words: str) -> AbstractContextManager[None]:
    """Return a block in which the command has a database to talk to."""
    is_cared_for = "DATABASE_URL" in os.environ or "FRONTLINE_SOCKET" in os.environ
    is_question = command.startswith("-") or not {"-h", "--help"}.isdisjoint(words)
    needs_one = command not in _WITHOUT_DATABASE or (command, *words[:1]) in _WITH_DATABASE
    if is_cared_for or is_question or not needs_one:
        return nullcontext()
    return borrowed(home(), _say)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.development")
    with _database(*(sys.argv[1:] or [""])):
        execute_from_command_line(sys.argv)
