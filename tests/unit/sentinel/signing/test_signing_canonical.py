import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sentinel.signing.canonical import (
    NotCanonical,
    canonical_json,
    digest,
    encode,
    parse,
    parse_canonical,
)

NFC_TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "M")))


def is_plain(text: str) -> bool:
    try:
        canonical_json(text)
    except NotCanonical:
        return False
    return True


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | NFC_TEXT.filter(is_plain),
    lambda inner: st.lists(inner) | st.dictionaries(NFC_TEXT.filter(is_plain), inner),
    max_leaves=20,
)


@given(VALUES)
def test_bytes_equal_those_of_an_independent_rfc8785_encoder(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_is_encoded_is_read_back(value):
    assert parse_canonical(canonical_json(value)) == value


def test_keys_sort_by_utf16_units_not_by_code_points():
    # U+FB33 sorts after U+1F600 in UTF-16 and before it by code point; NFC forbids U+FB33 itself.
    value = {"\uffee": 1, "\U0001f600": 2}

    assert canonical_json(value) == '{"\U0001f600":2,"\uffee":1}'.encode()
    assert canonical_json({"a": [value]}) == rfc8785.dumps({"a": [value]})


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        "e\u0301",
        "\ud800",
        "zero\0",
        {"e\u0301": 1},
        {1: "key is a number"},
        b"bytes",
        {"deep": {"set": {1, 2}}},
    ],
)
def test_value_without_canonical_form_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_nesting_is_limited():
    value: object = 1
    for _ in range(40):
        value = [value]

    with pytest.raises(NotCanonical):
        canonical_json(value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"1.5",
        b"1e3",
        b"NaN",
        b"Infinity",
        b"-0",
        b"9007199254740992",
        b"1" * 400,
        b'"e\xcc\x81"',
        b'"\xff"',
        b"[" * 100_000,
        b'"\\ud800"',
        b"{}x",
        b"",
        b"\xef\xbb\xbf{}",
    ],
)
def test_text_that_is_not_strict_json_is_refused(text):
    with pytest.raises(NotCanonical):
        parse_canonical(text)


@pytest.mark.parametrize("text", [b'{"a": 1}', b'{"b":1,"a":2}', b'"\\u0041"', b" 1"])
def test_other_text_for_the_same_value_is_refused_where_canonical_form_is_demanded(text):
    parse(text)

    with pytest.raises(NotCanonical):
        parse_canonical(text)


def test_prefix_separates_kinds_and_versions():
    assert encode("record", {"a": 1}) == b'frontline/record/v1\0{"a":1}'
    assert digest("record", {"a": 1}) == hashlib.sha256(encode("record", {"a": 1})).digest()
    assert len({digest("a", 1), digest("b", 1), digest("a", 1, version=2)}) == 3


# RFC 8785, sections 3.2.3 and 3.2.4. Its floating-point numbers, and U+FB33, which is not NFC,
# have no form here: the samples stand without them, and with them they are refused.
RFC_8785_KEYS = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}
RFC_8785_TEXT = '{"string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"'


def test_keys_sort_as_in_the_sample_of_rfc_8785():
    found = list(json.loads(canonical_json(RFC_8785_KEYS)).values())

    assert found == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
    ]


def test_bytes_are_those_of_the_sample_of_rfc_8785():
    value = parse((RFC_8785_TEXT + ', "literals": [null, true, false]}').encode())

    assert canonical_json(value) == bytes.fromhex(
        "7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72"
        "75 65 2c 66 61 6c 73 65 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24"
        "5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d"
    )


@pytest.mark.parametrize(
    "value",
    [
        RFC_8785_KEYS | {"\ufb33": "Hebrew Letter Dalet With Dagesh"},
        {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27]},
    ],
)
def test_what_the_sample_of_rfc_8785_has_beyond_ours_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical_json(value)
