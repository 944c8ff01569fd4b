"""The names each door offers, frozen: `python -m tests.architecture.doors` freezes them anew.

A name that goes away or comes breaks this on purpose: a door is a promise to the other layers.
"""

import importlib
import json
import os
import sys
from pathlib import Path

import django

from tests.architecture.source import LAYERS

FROZEN = Path(__file__).with_name("doors.json")


def open_doors() -> dict[str, list[str]]:
    """Return the names every layer's door offers now."""
    return {layer: sorted(importlib.import_module(f"{layer}.public").__all__) for layer in LAYERS}


def main() -> int:
    """Write the frozen list."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    FROZEN.write_text(json.dumps(open_doors(), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
