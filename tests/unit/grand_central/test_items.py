"""The line of an item is JSON, and always the same JSON: its hash is what was permitted."""

import json
from datetime import date
from uuid import UUID

import pytest

from grand_central.operations.items import PostingItem

ITEM = UUID("00000000-0000-4000-8000-000000000001")
DEBIT = UUID("00000000-0000-4000-8000-000000000002")
CREDIT = UUID("00000000-0000-4000-8000-000000000003")


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"remittance": 'Rent "May"', "name": "Anna\\Bob", "end_to_end": "a/b"},
        {"remittance": "bell \x07, tab \t, line \n, null \x00", "name": "Zoë 数 \u2028"},
        {"booking": date(2026, 5, 1), "value": date(2026, 5, 2), "category": "groceries"},
    ],
)
def test_a_posting_line_is_plain_json_of_what_is_not_empty(texts):
    item = PostingItem(ITEM, DEBIT, CREDIT, 12_50, "EUR", **texts)
    said = {name: getattr(item, name) for name in item.__slots__}
    plain = {
        name: value if isinstance(value, int | str) else str(value)
        for name, value in said.items()
        if value
    }

    line = item.line()

    assert line == json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    assert "\n" not in line
