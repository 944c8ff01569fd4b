"""Reads the tokens as a browser does, for one theme, and measures contrast as WCAG 2.2 does."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[3] / "interaction" / "static" / "interaction"
_DECLARED = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")


def declared() -> dict[str, str]:
    """Return every token of the customer density by name."""
    text = (STATIC / "tokens.css").read_text(encoding="utf-8").partition("\n.dense")[0]
    return {name: " ".join(value.split()) for name, value in _DECLARED.findall(text)}


def colour(name: str, theme: str) -> str:
    """Return the hex value a token has in a theme."""
    value = declared()[name]
    if value.startswith("light-dark("):
        light, dark = value.removeprefix("light-dark(").removesuffix(")").split("), ")
        value = f"{light})" if theme == "light" else dark
    if value.startswith("var("):
        return colour(value.removeprefix("var(--").removesuffix(")"), theme)
    assert re.fullmatch(r"#[0-9a-f]{6}", value), f"--{name} is {value!r}, no colour"
    return value


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two hex colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(value: str) -> float:
    parts = (int(value[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
