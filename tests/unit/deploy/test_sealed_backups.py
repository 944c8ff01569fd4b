"""A backup is read only when this bank sealed its manifest; what is in it cannot lead elsewhere."""

import io
import json
import os
import tarfile
from datetime import UTC, datetime
from uuid import UUID

import pytest

from deploy.embedded.place import Place
from deploy.safekeeping import key_box, manifest, sealing, unpacking
from deploy.safekeeping.manifest import BackupRefused, Manifest
from deploy.safekeeping.sealing import SealRefused

KEY, OTHER = "11" * 32, "22" * 32
AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "backup"
    made.mkdir()
    archive(made / "base.tar.gz", {"PG_VERSION": b"18\n", "base/1": b"rows"})
    archive(made / "pg_wal.tar.gz", {"000000010000000000000001": b"changes"})
    manifest.write(
        made,
        Manifest(
            format=2,
            id=UUID(int=1),
            kind="cluster",
            made_at=AT,
            postgres=180000,
            database="frontline",
            transaction=700,
            files={path.name: manifest.kept(path) for path in sorted(made.iterdir())},
            migrations={},
            checkpoints={"meridian-nl": "a note"},
            are_keys_included=False,
        ),
    )
    sealing.write(made, data_key=KEY)
    return made


def archive(path, files):
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def rewrite(folder, change):
    """Change what the manifest says, as somebody without the key would."""
    said = json.loads((folder / manifest.FILE).read_text())
    change(said)
    (folder / manifest.FILE).write_text(json.dumps(said))


def refused(folder, kind=BackupRefused, key=KEY):
    with pytest.raises(kind) as refusal:
        sealing.checked(folder, data_key=key)
    return refusal.value


def test_a_backup_as_it_was_taken_is_read(folder):
    found = sealing.checked(folder, data_key=KEY)

    assert found.checkpoints == {"meridian-nl": "a note"}
    assert set(found.files) == {"base.tar.gz", "pg_wal.tar.gz"}


def test_an_altered_file_with_a_rewritten_manifest_is_refused(folder):
    archive(folder / "base.tar.gz", {"PG_VERSION": b"18\n", "base/1": b"robs"})
    altered = manifest.kept(folder / "base.tar.gz").model_dump()
    rewrite(folder, lambda said: said["files"].update({"base.tar.gz": altered}))

    refusal = refused(folder, SealRefused)

    assert (refusal.code, refusal.exit_code) == ("backup_seal_refused", 3)
    assert "does not fit" in refusal.reason


def test_the_seal_is_compared_before_anything_is_parsed(folder):
    (folder / manifest.FILE).write_text("[" * 100_000)

    assert "does not fit" in refused(folder, SealRefused).reason


@pytest.mark.parametrize("given", [None, b"", b"0" * 65, b"0" * 64 + b"\n", b"\xff" * 65])
def test_a_missing_or_made_up_seal_is_refused(folder, given):
    (folder / sealing.FILE).unlink()
    if given is not None:
        (folder / sealing.FILE).write_bytes(given)

    assert refused(folder).code == "backup_seal_refused"


def test_a_seal_that_only_points_at_one_is_refused(folder, tmp_path):
    (folder / sealing.FILE).rename(tmp_path / "elsewhere")
    (folder / sealing.FILE).symlink_to(tmp_path / "elsewhere")

    assert refused(folder).code == "backup_seal_refused"


def test_a_seal_under_another_key_is_refused(folder):
    sealing.write(folder, data_key=OTHER)

    assert "another bank's" in refused(folder, SealRefused).reason
    assert sealing.checked(folder, data_key=OTHER).transaction == 700


def test_the_seal_of_another_backup_of_this_bank_is_refused(folder):
    other = (folder / sealing.FILE).read_bytes()
    rewrite(folder, lambda said: said.update(transaction=701))
    sealing.write(folder, data_key=KEY)
    assert sealing.checked(folder, data_key=KEY).transaction == 701

    (folder / sealing.FILE).write_bytes(other)

    refused(folder, SealRefused)


def test_a_key_that_is_none_is_refused_in_words(folder):
    assert "32 bytes in hexadecimal" in refused(folder, SealRefused, key="a phrase").reason


def test_a_file_too_many_too_few_or_too_large_is_refused_though_sealed(folder):
    (folder / "extra").write_text("more")
    assert refused(folder).reason == "extra is not of this backup."
    (folder / "extra").unlink()

    with (folder / "base.tar.gz").open("ab") as file:
        os.truncate(file.fileno(), 2**40)
    assert refused(folder).reason.startswith("base.tar.gz was altered")

    (folder / "base.tar.gz").unlink()
    assert refused(folder).reason == "base.tar.gz is missing."


def test_a_file_that_only_points_at_one_is_refused(folder, tmp_path):
    (folder / "base.tar.gz").rename(tmp_path / "elsewhere")
    (folder / "base.tar.gz").symlink_to(tmp_path / "elsewhere")

    assert refused(folder).reason == "base.tar.gz is missing."


@pytest.mark.parametrize("name", ["../keys", "/etc/passwd", "a/b", "", ".", "..", ".hidden", "é"])
def test_a_name_that_leads_elsewhere_is_refused_though_sealed(folder, name):
    stated = manifest.kept(folder / "base.tar.gz").model_dump()
    rewrite(folder, lambda said: said["files"].update({name: stated}))
    sealing.write(folder, data_key=KEY)

    assert "of no form this release knows" in refused(folder).reason


@pytest.mark.parametrize("size", [-1, 1.5, "12", 10**30])
def test_a_size_that_is_none_is_refused_though_sealed(folder, size):
    rewrite(folder, lambda said: said["files"]["base.tar.gz"].update(size=size))
    sealing.write(folder, data_key=KEY)

    refused(folder)


def test_a_manifest_larger_than_any_is_not_read(folder):
    os.truncate(folder / manifest.FILE, 2**40)

    assert "larger than any" in refused(folder).reason


def test_keys_opened_with_the_passphrase_read_the_backup(folder, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "data-encryption").write_text(f"{KEY}\n")
    box = tmp_path / "box"
    key_box.seal(folder=keys, extras=(), to=box, passphrase="correct horse")

    found = key_box.opened(file=box, passphrase="correct horse")
    found.put_into(tmp_path / "home")

    assert sealing.checked(folder, data_key=found.data_key).transaction == 700
    assert (tmp_path / "home/keys/data-encryption").read_text() == f"{KEY}\n"
    assert KEY not in repr(found)
    assert key_box.kept_in(keys).data_key == KEY


def test_a_box_of_keys_larger_than_any_is_not_opened(tmp_path):
    box = tmp_path / "box"
    box.write_bytes(b"frontline-keys-v1\n")
    os.truncate(box, 2**40)

    with pytest.raises(BackupRefused, match="cannot be opened"):
        key_box.opened(file=box, passphrase="correct horse")


@pytest.mark.parametrize("key", ["", " ", "11" * 31, "11" * 33, "x" * 64, "\xff" * 64])
def test_no_key_of_another_length_seals_or_reads_anything(folder, tmp_path, key):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "data-encryption").write_text(key, encoding="latin-1")
    box = tmp_path / "box"
    key_box.seal(folder=keys, extras=(), to=box, passphrase="correct horse")
    before = (folder / sealing.FILE).read_bytes()

    for attempt in (
        lambda: sealing.write(folder, data_key=key),
        lambda: sealing.checked(folder, data_key=key),
        lambda: key_box.kept_in(keys),
        lambda: key_box.opened(file=box, passphrase="correct horse"),
    ):
        with pytest.raises(SealRefused, match="32 bytes in hexadecimal"):
            attempt()
    assert (folder / sealing.FILE).read_bytes() == before


def test_a_box_without_the_data_key_opens_nothing(tmp_path):
    (tmp_path / "keys").mkdir()
    key_box.seal(
        folder=tmp_path / "keys", extras=(), to=tmp_path / "box", passphrase="correct horse"
    )

    with pytest.raises(BackupRefused, match="holds no key data-encryption"):
        key_box.opened(file=tmp_path / "box", passphrase="correct horse")
    with pytest.raises(BackupRefused, match="holds no key data-encryption"):
        key_box.kept_in(tmp_path / "keys")


@pytest.fixture
def place(tmp_path):
    data = tmp_path / "postgres"
    data.mkdir()
    return Place(tmp_path, data, data, tmp_path / "log", None)


def test_what_was_put_back_has_its_own_configuration(folder, place):
    theirs = b"restore_command = 'touch /tmp/run-by-the-archive'\n"
    names = ("postgresql.auto.conf", "./postgresql.auto.conf", "pg_hba.conf", "recovery.signal")
    archive(
        folder / "base.tar.gz",
        {"PG_VERSION": b"18\n", ".s.PGSQL.5432.lock": b"1", **dict.fromkeys(names, theirs)},
    )

    unpacking.unpack(folder, place)

    found = {path.name: path.read_text() for path in place.data.iterdir() if path.is_file()}
    assert found == {
        "PG_VERSION": "18\n",
        "postgresql.conf": "",
        "postgresql.auto.conf": "",
        "pg_hba.conf": "local all all trust\nlocal replication all trust\n",
        "pg_ident.conf": "",
    }
    assert not place.data.with_name("restoring").exists()


@pytest.mark.parametrize("name", ["../stolen", "pg_wal/../../stolen"])
def test_an_archive_that_leads_elsewhere_is_refused(folder, place, name):
    archive(folder / "base.tar.gz", {name: b"mine"})

    with pytest.raises(BackupRefused, match="cannot be unpacked"):
        unpacking.unpack(folder, place)

    assert not (place.data.parent / "stolen").exists()
    assert list(place.data.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_an_archive_with_a_link_or_device_elsewhere_is_refused(folder, place, kind):
    with tarfile.open(folder / "base.tar.gz", "w:gz") as packed:
        member = tarfile.TarInfo("base")
        member.type, member.linkname = kind, "/etc"
        packed.addfile(member)

    with pytest.raises(BackupRefused, match="cannot be unpacked"):
        unpacking.unpack(folder, place)


def test_an_archive_that_unpacks_to_more_than_there_is_room_for_is_refused(folder, place):
    with tarfile.open(folder / "base.tar.gz", "w:gz") as packed:
        member = tarfile.TarInfo("base")
        member.size = 2**50
        packed.fileobj.write(member.tobuf())

    with pytest.raises(BackupRefused, match="more than there is room for"):
        unpacking.unpack(folder, place)

    assert list(place.data.iterdir()) == []


def test_an_archive_that_breaks_off_is_refused(folder, place):
    whole = (folder / "base.tar.gz").read_bytes()
    (folder / "base.tar.gz").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(BackupRefused, match="cannot be unpacked"):
        unpacking.unpack(folder, place)
