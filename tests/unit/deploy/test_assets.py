"""Third-party files are kept when their digest is the locked one, and only then."""

import base64
import hashlib
import io
import json
import tarfile

import pytest

from deploy.assets import Asset, AssetRefused, install, locked_assets
from deploy.home import SOURCE

SCRIPT = b"draw();\n//# sourceMappingURL=draw.js.map"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "draw-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as package:
        for name, content in {"package/draw.js": SCRIPT, "package/evil.js": b"steal()"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            package.addfile(entry, io.BytesIO(content))
    return path


def asset_of(archive, **changes):
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    entry = {"integrity": f"sha512-{digest}", "files": {"draw.js": "draw.min.js"}, **changes}
    return Asset(name="draw", package="draw", version="1.0.0", **entry)


def test_only_the_named_files_are_kept_without_their_source_maps(archive, tmp_path):
    asset = asset_of(archive)

    install(asset, archive, tmp_path / "vendor")

    assert (tmp_path / "vendor/draw/draw.min.js").read_bytes() == b"draw();"
    kept = {path.name for path in (tmp_path / "vendor").rglob("*") if path.is_file()}
    assert kept == {"draw.min.js", ".stamp"}
    assert asset.is_installed(tmp_path / "vendor")


def test_another_digest_is_refused_and_nothing_is_kept(archive, tmp_path):
    asset = asset_of(archive)
    archive.write_bytes(archive.read_bytes() + b"\0")

    with pytest.raises(AssetRefused):
        install(asset, archive, tmp_path / "vendor")

    assert not (tmp_path / "vendor").exists()


def test_a_missing_file_is_refused_and_the_former_selection_stays(archive, tmp_path):
    install(asset_of(archive), archive, tmp_path / "vendor")

    with pytest.raises(AssetRefused):
        install(asset_of(archive, files={"none.js": "x.js"}), archive, tmp_path / "vendor")

    assert (tmp_path / "vendor/draw/draw.min.js").read_bytes() == b"draw();"


def test_another_selection_is_installed_anew(archive, tmp_path):
    install(asset_of(archive), archive, tmp_path / "vendor")

    other = asset_of(archive, files={"draw.js": "other.js"})

    assert not other.is_installed(tmp_path / "vendor")


def test_lock_and_package_file_name_the_same_versions():
    package = json.loads((SOURCE / "package.json").read_text())

    locked = {asset.package: asset.version for asset in locked_assets()}

    assert locked == package["dependencies"] | package["devDependencies"]
