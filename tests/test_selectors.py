"""What is read of JSON, and as what text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.selectors import Document, JsonSelector, parsed_json

TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\\ud83e\u2028\n"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_any_json_is_parsed_as_it_is(value, ascii_only):
    assert parsed_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"cut \ud83d"', "cut \ufffd"),
        (r'"\ude00 and \uD83D \ud83d\ude00"', "\ufffd and \ufffd \U0001f600"),
        (r'"\\ud83d \ud83d \\\\"', "\\ud83d \ufffd \\\\"),
        (r'["\ud83d\ud83d\ude00"]', ["\ufffd\U0001f600"]),
    ],
)
def test_half_an_emoji_does_not_lose_the_rest(text, value):
    assert parsed_json(text) == value


@pytest.mark.parametrize(
    "text", ["", "{", "[1,]", "NaN", "[Infinity]", '{"a": 1} x', r'"\ud83"', r'"\x"', "[" * 100_000]
)
def test_what_is_no_json_is_refused_in_words(text):
    with pytest.raises(ValueError, match="JSON"):
        parsed_json(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0, "0"),
        (90, "90"),
        (8.4, "8.4"),
        (9.0, "9.0"),
        (True, "1"),
        (False, "0"),
        ("", ""),
        (" a  b \r\n\r c\u2028d\n", "a b\n\nc d"),
        ({"a": 1}, ""),
        ("a\0b", "a\ufffdb"),
        pytest.param(10**5000, "a number of 16610 bits", id="huge"),
    ],
)
def test_a_value_is_read_as_the_text_that_a_page_would_show(value, text):
    assert JsonSelector(root={"value": value}, type="json").jmespath("[value]").getall() == [text]


@pytest.mark.parametrize(
    ("text", "is_json"), [('{"a": 1}', True), ("\ufeff \n[1]", True), ("<html>", False), ("", False)]
)
def test_a_document_tells_json_from_html(text, is_json):
    assert Document(text).is_json is is_json
