"""Finding listed names: aliases, order, typos, scripts; and files that are no lists."""

import csv
import os
from pathlib import Path

import pytest

from grand_central.screening.index import ListedName, NameIndex
from grand_central.screening.lists import ListNotUnderstood, listed_names, read_list
from grand_central.screening.normal import plain_name

DATA = Path(os.environ.get("FRONTLINE_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
SAMPLE = Path(__file__).parents[3] / "deploy" / "sample" / "sample_list.csv"
HIT, POSSIBLE = 950, 850


@pytest.fixture(scope="module")
def index():
    published = read_list(path=SAMPLE, title="Sample list, invented names", is_sample=True)
    return NameIndex(list(listed_names("sample", published.lines[1:])))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Zoltran Meridovic Krauss", "sample-001"),
        ("KRAUSS, Zoltran Meridovic", "sample-001"),
        ("Zoltan M. Kraus", "sample-001"),
        ("Zoltran Meridovich Kraus", "sample-001"),
        ("Ismereth al Kaldoon", "sample-003"),
        ("Оривета Сандракова", "sample-005"),
        ("Oriveta  Sandrákova", "sample-005"),
        ("Harrowgate Tern Holding", "sample-008"),
        ("NebulaTrading Ostrava", "sample-007"),
    ],
)
def test_aliases_order_typos_and_scripts_are_found(index, name, entry):
    best = index.nearest(name)[0]

    assert best.listed.entry_id == entry
    assert best.score_permille >= POSSIBLE


@pytest.mark.parametrize(
    "name", ["Bob Jansen", "Sophie van Dijk", "Hendriks Vastgoed B.V.", "Krauss", "M. Kalduin"]
)
def test_ordinary_names_are_not_hits(index, name):
    assert all(each.score_permille < HIT for each in index.nearest(name))


@pytest.mark.parametrize("name", ["", " ", "!!!", "\u200b"])
def test_what_cannot_be_compared_finds_nothing(index, name):
    assert index.nearest(name) == ()


def test_an_empty_index_finds_nothing():
    assert NameIndex([]).nearest("Bob Jansen") == ()


def test_a_long_name_is_cut_before_it_costs():
    assert len(plain_name("x" * 1_000_000)) <= 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<html><body>404</body></html>",
        b"<CONSOLIDATED_LIST><INDIVIDUAL>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><CONSOLIDATED_LIST>&a;</CONSOLIDATED_LIST>',
        b"%PDF-1.7",
        b"id,name,kind,programme\n",
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(content)

    with pytest.raises(ListNotUnderstood):
        read_list(path=path, title="x")


def test_the_digest_changes_with_any_line(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "one2.csv"
    one.write_text(SAMPLE.read_text())
    two.write_text(SAMPLE.read_text().replace("Krauss", "Kraus", 1))

    digests = {read_list(path=path, title="t").digest for path in (one, one, two)}

    assert len(digests) == 2


def published_index():
    listed = []
    for name in ("ofac_sdn_2023.csv", "ofac_alt_2025.csv", "un_consolidated_2026.xml"):
        published = read_list(path=DATA / "sanctions" / name, title=name)
        listed.extend(listed_names(name, published.lines[1:]))
    return NameIndex(listed)


def names_in(file):
    with (DATA / "screening_benchmark" / file).open(encoding="utf-8") as stream:
        return [row["full_name"] for row in csv.DictReader(stream)]


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "sanctions").is_dir(), reason="the published lists are not here")
def test_published_names_are_found_and_ordinary_ones_left_alone():
    index = published_index()
    assert len(index) > 35_000

    def share(names, at_least):
        found = [index.nearest(name, limit=1) for name in names]
        return sum(each[0].score_permille >= at_least for each in found if each) / len(names)

    assert share(names_in("positives_un_untreated.csv"), POSSIBLE) == 1.0
    assert share(names_in("positives_un_treated.csv"), POSSIBLE) >= 0.99
    assert share(names_in("negatives_us.csv")[:1_000], POSSIBLE) <= 0.01
    assert share(names_in("negatives_global.csv")[:1_000], POSSIBLE) <= 0.01


def test_listed_names_say_what_they_are():
    names = list(listed_names("x", [
        '{"id":"1","names":["A B","C D"],"kind":"person","programme":"P","aliases":false}',
    ]))  # fmt: skip

    assert names == [
        ListedName("x", "1", "A B", is_alias=False, programme="P"),
        ListedName("x", "1", "C D", is_alias=True, programme="P"),
    ]
