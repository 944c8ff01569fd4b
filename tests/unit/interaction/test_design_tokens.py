"""Contrast of every pair in both themes, and one home for raw colours."""

import re
from itertools import product

import pytest

from tests.unit.interaction.palette import STATIC, colour, contrast, declared

APPS = STATIC.parents[2] / "apps"
THEMES = ("light", "dark")
TEXT_RATIO, CONTROL_RATIO = 4.5, 3.0
TEXT_PAIRS = sorted(
    (name.removesuffix("-muted").removeprefix("on-"), name)
    for name in declared()
    if name.startswith("on-")
)
# Coloured words stand on every quiet background.
COLOURED = ("link", "positive", "caution", "critical", "machine")
QUIET = ("page", "surface", "sunken", "hover")
CONTROLS = [("line-control", under) for under in ("page", "surface")] + [
    ("focus", under) for under in ("page", "surface", "sunken")
]
HEX = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|\boklch\(")
HEX_IN_MARKUP = re.compile(r"""(?:fill|stroke|color|style)\s*=\s*["'][^"']*#[0-9a-fA-F]{3,8}""")


@pytest.mark.parametrize(("pair", "theme"), list(product(TEXT_PAIRS, THEMES)))
def test_text_reads_on_its_background(pair: tuple[str, str], theme: str) -> None:
    background, text = pair

    assert contrast(colour(background, theme), colour(text, theme)) >= TEXT_RATIO


@pytest.mark.parametrize(("text", "background", "theme"), list(product(COLOURED, QUIET, THEMES)))
def test_coloured_words_read_on_quiet_backgrounds(text: str, background: str, theme: str) -> None:
    assert contrast(colour(background, theme), colour(text, theme)) >= TEXT_RATIO


@pytest.mark.parametrize(("pair", "theme"), list(product(CONTROLS, THEMES)))
def test_edges_of_controls_and_focus_are_seen(pair: tuple[str, str], theme: str) -> None:
    edge, background = pair

    assert contrast(colour(background, theme), colour(edge, theme)) >= CONTROL_RATIO


def test_measuring_contrast_agrees_with_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def _files(*endings: str) -> list[str]:
    roots = (STATIC.parents[1], APPS)
    return sorted(
        str(path) for root in roots for ending in endings for path in root.rglob(f"*.{ending}")
    )


def test_raw_colours_stand_in_the_tokens_only() -> None:
    sheets = [path for path in _files("css") if not path.endswith("interaction/tokens.css")]

    assert sheets
    for path in sheets:
        with open(path, encoding="utf-8") as sheet:
            assert not HEX.findall(sheet.read()), path


def test_markup_has_no_inline_style_script_or_handler() -> None:
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|\shx-on|<script(?![^>]*\ssrc=)", re.I)

    for path in _files("html"):
        with open(path, encoding="utf-8") as page:
            text = page.read()
        assert not inline.findall(text), path
        assert not HEX_IN_MARKUP.findall(text), path


def test_components_use_no_primitive_colour() -> None:
    primitive = re.compile(r"var\(--(?:grey|petrol|green|amber|red|violet)-\d+\)")

    for path in _files("css"):
        if path.endswith("interaction/tokens.css"):
            continue
        with open(path, encoding="utf-8") as sheet:
            assert not primitive.findall(sheet.read()), path
