"""The repository as the architecture tests read it: files under version control, and syntax."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
LAYERS = ("interaction", "orchestration", "intelligence", "nexus", "grand_central", "sentinel")
PACKAGES = (*LAYERS, "apps", "deploy")


def trees(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield each module of the packages with its syntax, migrations left out."""
    for package in packages:
        for path in sorted((SOURCE / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(SOURCE), _parsed(path)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def tracked_files() -> list[Path]:
    """Return every file of the repository, as git knows it; without git, what lies here."""
    listed = subprocess.run(
        ["git", "-C", str(SOURCE), "ls-files", "-z", "--cached"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [SOURCE / name for name in listed.stdout.split("\0") if name]
    ignored = {".venv", "var", "node_modules", "vendor", "__pycache__"}
    return [
        path
        for path in SOURCE.rglob("*")
        if path.is_file() and not ignored & set(path.relative_to(SOURCE).parts)
    ]
