"""`manage.py screening load FILE...` and `screening list`: the lists names are screened against."""

import re
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.sample.batches import Mandate
from deploy.sample.screening import load_list
from grand_central.public import ListNotUnderstood, read_list, screening_lists
from sentinel.public import legal_entities, legal_entity


class Command(BaseCommand):
    help = "Load sanctions lists (OFAC sdn/alt CSV, UN consolidated XML) or show those in force."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        load = actions.add_parser("load")
        load.add_argument("files", nargs="+", type=Path)
        load.add_argument("--list-version", default="", help="by default the file's own date")
        actions.add_parser("list")

    def handle(self, *, action: str, **options: object) -> None:
        at = datetime.now(UTC)
        entities = [each.entity for each in legal_entities()]
        if not entities:
            raise CommandError("There is no legal entity yet: run `manage.py seed` first.")
        for entity in entities:
            with legal_entity(entity=entity):
                if action == "load":
                    self._load(Mandate("screening", entity, at), options)
                self._show(entity, at)

    def _load(self, mandate: Mandate, options: dict[str, object]) -> None:
        files = options["files"]
        assert isinstance(files, list)
        for path in files:
            name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:40]
            try:
                published = read_list(path=path, title=path.stem)
            except ListNotUnderstood as error:
                raise CommandError(f"{path.name}: {error.reason}.") from error
            except OSError as error:
                raise CommandError(f"{path.name}: {error.strerror}.") from error
            changed = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
            version = str(options["list_version"]) or f"{changed:%Y-%m-%d}"
            in_force = {each.name: each.digest for each in screening_lists()}
            if in_force.get(name) == published.digest:
                self.stdout.write(f"  {mandate.entity}: {name} is in force already")
                continue
            load_list(mandate, name, version, published)
            self.stdout.write(f"  {mandate.entity}: {name} loaded")

    def _show(self, entity: str, at: datetime) -> None:
        for each in screening_lists():
            age = max(0, (at - each.loaded_at).days)
            label = "sample, " if each.is_sample else ""
            self.stdout.write(
                f"  {entity}: {each.name} version {each.version}, {each.entries} entries,"
                f" {label}loaded {age} days ago, digest {each.digest[:16]}"
            )
