"""Values of a column as this layer reads and searches them."""

import json
from collections.abc import Mapping


def json_value(stored: object) -> object:
    """Return what a jsonb column holds, whether the driver has decoded it or not."""
    return json.loads(stored) if isinstance(stored, str) else stored


def json_object(stored: object) -> Mapping[str, object]:
    """Return what a jsonb column holds that this layer only ever fills with objects."""
    value = json_value(stored)
    assert isinstance(value, dict)
    return value


def containing(text: str) -> str:
    """Return the ILIKE pattern for values that contain a person's words, taken literally."""
    words = text.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{words}%"
