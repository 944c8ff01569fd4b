"""The log as static files, read by a program that shares no code with it."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once
from sentinel.log.tiles import Tile, TileDamaged, TileUnknown, read_tile, tiles_of
from tests.layers.sentinel.log import tile_reader
from tests.layers.sentinel.log.evidence import Tamperer

ENTITY = "meridian-nl"


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def grow_to(size):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_record")
        (stored,) = cursor.fetchone()
        # The first round of a log adds the record of its own key.
        for number in range(size - stored - (stored == 0)):
            append(cursor, kind="issued", body={"number": number})
    while run_sequencer_once():
        pass


def export(folder):
    out = io.StringIO()
    call_command("export_tiles", "--out", str(folder), stdout=out)
    return out.getvalue()


def reader(folder):
    return lambda path: (folder / path).read_bytes()


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("size", [2, 255, 256, 257, 600])
def test_a_stranger_rebuilds_the_log_from_the_folder(entity, tmp_path, size):
    grow_to(size)

    export(tmp_path / "tiles")

    found, entries = tile_reader.audit(reader(tmp_path / "tiles"))
    assert (found, len(entries)) == (size, size)


def test_a_later_export_adds_and_rewrites_nothing_but_the_checkpoint(entity, tmp_path):
    folder = tmp_path / "tiles"
    grow_to(300)
    export(folder)
    before = files(folder)
    grow_to(530)

    # Two bundles of entries, two tiles of leaves, one of the subtrees above them.
    assert export(folder).endswith("5 new tiles, 530 entries\n")

    after = files(folder)
    assert {path for path in before if after[path] != before[path]} == {"checkpoint"}
    assert tile_reader.audit(reader(folder))[0] == 530
    assert export(folder).endswith("0 new tiles, 530 entries\n")


def test_the_tiles_named_are_those_of_the_specification():
    # The example of C2SP tlog-tiles: a tree of 70,000 leaves.
    hashes = [tile for tile in tiles_of(size=70_000) if tile.level is not None]

    assert sum(tile.is_full and tile.level == 0 for tile in hashes) == 273
    assert [(t.level, t.width) for t in hashes if not t.is_full] == [(0, 112), (1, 17), (2, 1)]
    assert sum(tile.is_full and tile.level == 1 for tile in hashes) == 1


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/x001/x234/067", Tile(0, 1_234_067, 256)),
        ("tile/1/000.p/1", Tile(1, 0, 1)),
        ("tile/entries/x001/000.p/255", Tile(None, 1000, 255)),
    ],
)
def test_a_tile_has_one_name(path, tile):
    assert Tile.parse(path) == tile
    assert (
        tile.path
        == path
        == tile_reader.path_of(
            "entries" if tile.level is None else tile.level, tile.index, tile.width
        )
    )


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/8/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/x001/1",
        "tile/0/001/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/300",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/../../keys",
        "tile/entries/000\n",
        "checkpoint",
        "",
    ],
)
def test_what_is_no_tile_is_refused(path):
    with pytest.raises(TileUnknown):
        Tile.parse(path)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/000.p/4", "tile/1/000.p/1", "tile/0/001"])
def test_a_tile_the_tree_has_not_reached_is_not_served(entity, path):
    grow_to(3)

    assert len(read_tile(path="tile/0/000.p/3")) == 96
    with pytest.raises(TileUnknown):
        read_tile(path=path)


def test_records_that_wait_are_in_no_tile(entity):
    grow_to(3)
    with connection.cursor() as cursor:
        append(cursor, kind="issued", body={"number": 9})

    with pytest.raises(TileUnknown):
        read_tile(path="tile/entries/000.p/4")


@pytest.mark.django_db(transaction=True)
def test_a_tile_that_lacks_what_was_sealed_is_not_handed_out(
    entity, tmp_path, superuser_connection
):
    grow_to(5)
    Tamperer(superuser_connection).run(
        "DELETE FROM sentinel_record WHERE id = (SELECT record_id FROM sentinel_leaf WHERE idx = 2)"
    )

    with pytest.raises(TileDamaged):
        read_tile(path="tile/entries/000.p/5")
    with pytest.raises(CommandError, match="lacks something that was sealed"):
        export(tmp_path / "tiles")
    assert not (tmp_path / "tiles" / "checkpoint").exists()


@pytest.mark.django_db(transaction=True)
def test_a_folder_of_another_history_is_not_added_to(entity, tmp_path, superuser_connection):
    folder = tmp_path / "tiles"
    grow_to(5)
    export(folder)
    before = files(folder)
    grow_to(8)
    Tamperer(superuser_connection).run("UPDATE sentinel_leaf SET leaf = sha256('x') WHERE idx = 1")

    with pytest.raises(CommandError, match="does not contain what was exported before"):
        export(folder)

    assert files(folder) == before


def test_an_empty_log_exports_nothing(entity, tmp_path):
    with pytest.raises(CommandError):
        export(tmp_path / "tiles")

    assert not (tmp_path / "tiles").exists()
