"""Puts published sanctions lists in force, as actions like any others."""

from collections.abc import Sequence
from pathlib import Path

from deploy.sample.batches import Mandate
from grand_central.public import PublishedList, read_list, screening_lists


def load_lists(
    mandate: Mandate, files: Sequence[tuple[Path, str, str]], *, is_sample: bool = False
) -> tuple[PublishedList, ...]:
    """Load files, each as (path, name of the list, title); a version in force stays as it is.

    Raises:
        grand_central.public.ListNotUnderstood: a file is not a list we read; those before it are
            loaded.
    """
    in_force = {each.name: each.digest for each in screening_lists()}
    loaded = []
    for path, name, title in files:
        published = read_list(path=path, title=title, is_sample=is_sample)
        if in_force.get(name) != published.digest:
            load_list(mandate, name, f"{mandate.at:%Y-%m-%d}", published)
        loaded.append(published)
    return tuple(loaded)


def load_list(mandate: Mandate, name: str, version: str, published: PublishedList) -> None:
    """Put one list in force under a version."""
    parameters: dict[str, object] = {
        "name": name,
        "version": version,
        "digest": published.digest,
        "count": len(published.lines) - 1,
    }
    key = f"{name}:{version}:{published.digest[:24]}"
    mandate.perform("screening.load", parameters, published.lines, key)
