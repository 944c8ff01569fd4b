"""Artefacts load by digest only, never run anything, and stay small."""

import hashlib
import io
import json
import pickle

import numpy as np
import pytest

from intelligence import artefact_files
from intelligence.artefact_files import SHIPPED, ArtefactRefused, load, save
from intelligence.providers import local
from tests.unit.intelligence.shipped import entries


class Payload:
    def __reduce__(self):
        return (print, ("ran",))


def written(folder, content, arrays=None):
    """Write an artefact whose card names whatever arrays file is given."""
    card = {"format": "linear-intent/1"}
    if arrays is not None:
        (folder / "m.npz").write_bytes(arrays)
        card["arrays_sha256"] = hashlib.sha256(arrays).hexdigest()
    text = content if content is not None else json.dumps(card).encode()
    (folder / "m.json").write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def test_shipped_artefacts_are_those_of_the_index():
    for entry in entries().values():
        artefact = load(name=entry["artefact"], digest=entry["digest"])

        assert artefact.card["capability"] == entry["capability"]
        assert artefact.card["format"] == entry["format"]
        assert (SHIPPED / entry["card"]).is_file()


def test_all_artefacts_together_stay_under_three_megabytes():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 3 * 1024 * 1024


def test_what_is_saved_is_loaded(tmp_path):
    arrays = {"a": np.arange(3, dtype=np.int8)}

    digest = save(name="m", card={"format": "x"}, arrays=arrays, folder=tmp_path)

    assert load(name="m", digest=digest, folder=tmp_path).arrays["a"].tolist() == [0, 1, 2]


def test_one_changed_byte_is_refused(tmp_path):
    digest = save(name="m", card={"n": 1}, arrays={"a": np.zeros(9)}, folder=tmp_path)
    for name, reason in (("m.npz", "arrays_differ"), ("m.json", "digest_differs")):
        content = bytearray((tmp_path / name).read_bytes())
        content[-2] ^= 1
        (tmp_path / name).write_bytes(content)

        with pytest.raises(ArtefactRefused) as refused:
            load(name="m", digest=digest, folder=tmp_path)

        assert refused.value.reason == reason


def test_a_pickle_is_refused_and_does_not_run(tmp_path, capsys):
    stream = io.BytesIO()
    np.savez(stream, a=np.array([Payload()], dtype=object))
    for arrays in (pickle.dumps(Payload()), stream.getvalue()):
        digest = written(tmp_path, None, arrays)

        with pytest.raises(ArtefactRefused):
            load(name="m", digest=digest, folder=tmp_path)

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"not json", "not_json"), (b"[1]", "not_a_card")],
)
def test_a_card_that_is_none_is_refused(tmp_path, content, reason):
    digest = written(tmp_path, content)

    with pytest.raises(ArtefactRefused) as refused:
        load(name="m", digest=digest, folder=tmp_path)

    assert refused.value.reason == reason


def test_a_missing_or_huge_artefact_is_refused(tmp_path):
    with pytest.raises(ArtefactRefused) as missing:
        load(name="m", digest="0" * 64, folder=tmp_path)
    (tmp_path / "m.json").write_bytes(b" " * (artefact_files.BYTES_MAX + 1))
    with pytest.raises(ArtefactRefused) as huge:
        load(name="m", digest="0" * 64, folder=tmp_path)

    assert (missing.value.reason, huge.value.reason) == ("missing", "too_large")


@pytest.mark.parametrize(
    ("card", "reason"),
    [({"format": "onnx"}, "unknown_format"), ({"format": "linear-intent/1"}, "parts_disagree")],
)
def test_a_format_we_do_not_serve_is_refused(tmp_path, card, reason):
    digest = save(name="m", card=card, arrays={}, folder=tmp_path)

    with pytest.raises(ArtefactRefused) as refused:
        local.load(artefact="m", digest=digest, folder=tmp_path)

    assert refused.value.reason == reason
