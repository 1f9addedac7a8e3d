"""The reader of Nuxt 3's flat array."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.layouts.state import FlatState, document
from metacrawl.selectors import Document

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5))
WRAPPERS = st.sampled_from(["", "Reactive", "Ref", "ShallowReactive", "ShallowRef"])


def flat(value, wrapper=""):
    """Write a value as devalue does: equal scalars once, each object and list in the wrapper."""
    array, places = [], {}

    def put(inner):
        is_scalar = not isinstance(inner, dict | list)
        key = (type(inner), json.dumps(inner)) if is_scalar else id(inner)
        if key not in places:
            places[key] = len(array)
            array.append(None)
            if is_scalar:
                array[places[key]] = inner
            elif wrapper:
                array[places[key]] = [wrapper, len(array)]
                array.append(None)
                array[places[key] + 1] = content(inner)
            else:
                array[places[key]] = content(inner)
        return places[key]

    def content(inner):
        return {name: put(part) for name, part in inner.items()} if isinstance(inner, dict) else list(map(put, inner))

    put(value)
    return json.dumps(array, ensure_ascii=False)


def page(key="loadPage:movies:her:", **more):
    return {"data": {"loadPage:skeleton:web:": {"header": []}, key: {"components": []}}, "path": "/movie/her/"} | more


@given(VALUES, WRAPPERS)
def test_gives_back_what_was_written(value, wrapper):
    assert FlatState(flat(value, wrapper)).value(0) == value


@given(VALUES)
def test_gives_a_shared_part_wherever_it_stands(value):
    shared = [value]
    assert FlatState(flat({"a": shared, "b": [shared, shared]})).value(0) == {"a": shared, "b": [shared, shared]}


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ('[{"a":-1,"b":-2,"c":-3,"d":-4,"e":-5,"f":-6}]', {**dict.fromkeys("abcde"), "f": 0}),
        ("[[]]", []),
        ('[["EmptyRef",1],"_"]', None),
        ('[["EmptyShallowRef",1],"false"]', False),
        ('[["EmptyRef",1],"\\"\\""]', ""),
        ('[["Ref",1],["EmptyRef",2],"0"]', 0),
        ('[["Date","2019-10-04T00:00:00.000Z"]]', "2019-10-04T00:00:00.000Z"),
        ('[["BigInt","12"]]', "12"),
        ('[["Set",1,1,2],"a","b"]', ["a", "a", "b"]),
        ('[["Set"]]', []),
        ('[["Map",1,2],"a",[3],7]', {"a": [7]}),
        ('[["null","a",1],{"b":2},3]', {"a": {"b": 3}}),
    ],
)
def test_knows_what_is_no_plain_value(array, value):
    assert FlatState(array).value(0) == value


@pytest.mark.parametrize(
    ("array", "words"),
    [
        ("[[0]]", "holds itself"),
        ('[{"a":1},[0]]', "holds itself"),
        ('[["Ref",0]]', "again and again"),
        ("[[1]]", "refers to 1"),
        ("[[-7]]", "refers to -7"),
        ("[[true]]", "refers to True"),
        ("[[0.5]]", "refers to 0.5"),
        ('[{"a":"b"}]', "refers to b"),
        ('[{"a":[1]},2]', r"refers to \[1\]"),
        ('[["Ref"]]', "a Ref that"),
        ('[["Map",1],2]', "a Map that"),
        ('[["Temporal",1],2]', "a Temporal that"),
        ('[["EmptyRef",1],"[1]"]', "an? EmptyRef that"),
        ('[["EmptyRef",1],[]]', "an? EmptyRef that"),
        ("[]", "no array with anything in it"),
        ("{}", "no array"),
        ("[NaN]", "broken JSON"),
        ("[" * 40_000, "nested too deeply"),
    ],
)
def test_refuses_in_words_what_is_broken(array, words):
    with pytest.raises(ValueError, match=words):
        FlatState(array).value(0)


# Each would take minutes and more: the suite's own patience is the bound.
HOSTILE = {
    "a-map-by-a-huge-list": json.dumps([["Map", *[1, 2] * 8_000], list(range(3, 16_003)), 0, *[0] * 16_000]),
    "deep": json.dumps([[number + 1] for number in range(20_000)] + [0]),
    "deeper-with-every-entry": json.dumps([list(range(1, 3000)), 0, *([number + 1] for number in range(2998))]),
    "billion-laughs": json.dumps([[number + 1] * 10 for number in range(50)] + ["ha"]),
    "one-long-text-everywhere": json.dumps([[1] * 40_000, "x" * 1_000_000]),
    "a-chain-of-wrappers": json.dumps([["Ref", number + 1] for number in range(15_000)] + [0]),
}


@pytest.mark.parametrize("array", HOSTILE.values(), ids=HOSTILE)
def test_refuses_what_would_take_endless_time(array):
    with pytest.raises(ValueError, match=r"deep|too much|again and again|something else than names"):
        FlatState(array).value(0)


def test_reads_twenty_thousand_values():
    array = [list(range(1, 20_001)), *range(20_000)]
    assert FlatState(json.dumps(array)).value(0) == list(range(20_000))


STRUCTURES = st.recursive(
    st.integers(-8, 12) | st.sampled_from(["Ref", "Set", "Map", "null", "EmptyRef", "Date", "_", "a"]) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(STRUCTURES, max_size=12))
def test_any_array_gives_plain_json_or_a_value_error(array):
    with suppress(ValueError):
        json.dumps(FlatState(json.dumps(array)).value(0))


@given(st.text() | st.binary().map(lambda body: body.decode("utf-8", "replace")))
def test_any_text_is_a_page_of_this_design_or_not_or_broken(text):
    for html in (text, f'<script id="__NUXT_DATA__">{text}</script>', f"[{text}]"):
        with suppress(ValueError):
            assert document(Document(html)) is None


def test_every_truncation_is_broken():
    whole = flat(page(), "Reactive")
    for length in range(1, len(whole)):
        with pytest.raises(ValueError, match=r".+"):
            document(Document(whole[:length]))


def test_a_page_that_is_cut_off_is_broken():
    html = f'<html><body><div id="__nuxt">…</div><script id="__NUXT_DATA__">{flat(page())}</script></body></html>'
    assert document(Document(html)).root["path"] == "/movie/her/"
    for end in (html.index("</div>"), html.index("[{") + 10, html.index("</script>")):
        with pytest.raises(ValueError, match="cut off"):
            document(Document(html[:end]))


def test_gives_the_pages_own_part():
    state = flat(page('loadPage:movies-user-reviews:her:{"sort":"date"}', pinia={"more": "menus"}), "ShallowReactive")
    assert document(Document(state)).root == {"page": "movies-user-reviews", "path": "/movie/her/", "components": []}


def test_reads_nothing_of_menus():
    menus = [{"data": 1, "path": 4, "pinia": 5}, {"loadPage:movies:her:": 2}, {"components": 3}, [], "/movie/her/", [5]]
    assert document(Document(json.dumps(menus))).root["components"] == []


@pytest.mark.parametrize("state", [page("loadPage:skeleton:her:") | {"data": {}}, {"data": None}, {}, [], 0])
def test_a_state_without_a_page_is_broken(state):
    with pytest.raises(ValueError, match=r"no page in the state|no object|refers to"):
        document(Document(flat(state)))


def test_other_pages_are_of_another_design():
    for text in ("<html><body>Hello</body></html>", "", '{"data":{}}', '<html data-n-head="x"><div id="__nuxt">'):
        assert document(Document(text)) is None
