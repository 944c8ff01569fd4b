"""Checks the import contracts of pyproject.toml: `python -m deploy.contracts`.

The linter's own script cannot be started from a clone whose path holds a space.
"""

import sys

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.exit(lint_imports(no_cache=True))
