"""The reader of Nuxt 2's script."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.layouts.script import START, document, nuxt_script
from metacrawl.selectors import Document

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]{0,5}", fullmatch=True) | TEXT
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5))


def script(body, arguments="", parameters=""):
    return f"{START}function({parameters}){{{body}}}({arguments}));"


def read(value):
    return nuxt_script(script(f"return {value}"))


def written(value):
    """Write a literal as Nuxt does: names bare where they can be, slashes and angle brackets escaped."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name_of(name)}:{written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("/", "\\u002F").replace("<", "\\u003C").replace(">", "\\u003E")


def name_of(name):
    return name if name.isascii() and name.isidentifier() else written(name)


@given(VALUES)
def test_gives_back_what_was_written(value):
    assert read(written(value)) == value


@given(VALUES, TEXT)
def test_knows_its_parameters_and_what_is_assigned_to_them(value, name):
    text = script(
        f"k.a={written(value)};k[{written(name)}]=b;q[1]=k;return {{layout:b,data:[q,k]}}",
        f"{{}},{written(name)},Array(2)",
        "k,b,q",
    )
    shared = {"a": value} | {name: name}
    assert nuxt_script(text) == {"layout": name, "data": [[None, shared], shared]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!0", True),
        ("!1", False),
        ("void 0", None),
        ("undefined", None),
        ("NaN", None),
        ("1e999", None),
        ("-1.50", -1.5),
        (".5", 0.5),
        ("1e21", 1e21),
        ("Array(2)", [None, None]),
        ("[,1,]", [None, 1]),
        ("{a:1,}", {"a": 1}),
        ("{1:2,$if:3}", {"1": 2, "$if": 3}),
        ("new Date(1572652800000)", 1572652800000),
        ("'it\\'s \"x\"'", 'it\'s "x"'),
        ('"\\x3C\\u002F\\n\\t\\\\"', "</\n\t\\"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud83d"', "\ufffd"),
        ('"})(("', "})(("),
        ("{ a : [ 1 , 2 ] }", {"a": [1, 2]}),
    ],
)
def test_knows_what_the_script_is_made_of(text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "alert(1)",
        "a",
        "1+1",
        "a.b",
        "window.location",
        "[].constructor",
        "function(){}",
        "()=>1",
        "/x/g",
        "`x`",
        "{get a(){return 1}}",
        "{...a}",
        "{a}",
        "[1 2]",
        "{a:1 b:2}",
        "new Image(1)",
        "void alert",
        "!2",
        "Array(1e9)",
        "Array(999999999)",
        "Array(-1)",
        'Array("1")',
        '"\\u00"',
        "-Infinity",
        "0x10",
        "9" * 5000,
        "1//2",
        "",
    ],
)
def test_refuses_anything_else(text):
    with pytest.raises(ValueError, match=r"cannot be read at character \d+"):
        read(text)


@pytest.mark.parametrize(
    "body",
    [
        "b.c=1;return 1",
        "a=1;return 1",
        "a.b.c=1;return 1",
        "q[1]=1;return 1",
        "q.length=9;return 1",
        "a[0]=1;return 1",
        "a.b=1 return 1",
        "delete a.b;return 1",
        "return 1;return 2",
        "1",
    ],
)
def test_refuses_other_statements(body):
    with pytest.raises(ValueError, match=r"cannot be read at character \d+"):
        nuxt_script(script(body, "{},Array(1)", "a,q"))


def test_says_where_it_stopped():
    text = script('return {a:1,b:"x",c:alert(1)}')
    with pytest.raises(ValueError, match=f"at character {text.index('alert')}: 'alert'"):
        nuxt_script(text)


def test_refuses_an_argument_without_a_parameter():
    with pytest.raises(ValueError, match="more than it takes"):
        nuxt_script(script("return a", "1,2", "a"))


def test_a_parameter_without_an_argument_is_undefined():
    assert nuxt_script(script("return [a,b]", "1", "a,b")) == [1, None]


HOSTILE = {
    "deep-lists": script(f"return {'[' * 100_000}"),
    "deep-objects": script(f"return {'{a:' * 100_000}1{'}' * 100_000}"),
    "a-cycle": script("k.a=k;return k", "{}", "k"),
    "billion-laughs": script(
        "".join(f"a{number}.x=[{','.join([f'a{number + 1}'] * 10)}];" for number in range(50)) + "return a0",
        ",".join(["{}"] * 51),
        ",".join(f"a{number}" for number in range(51)),
    ),
    "one-long-text-everywhere": script(f"return [{'a,' * 100_000}a]", f'"{"x" * 1_000_000}"', "a"),
    "quotation-marks-without-end": START + '"' + '\\"' * 1_000_000,
    "backslashes": script(f'return "{chr(92) * 999_999}'),
    "brackets-only": START + "(" * 1_000_000,
    "arrays-by-length": script(f"return [{'Array(100000),' * 50_000}1]"),
    "digits": script(f"return {'1' * 1_000_000}"),
    "many-parameters": script("return 1", "", ",".join(["a"] * 300_000) + ","),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_refuses_hostile_scripts_in_bounded_time(text):
    with suppress(ValueError):
        nuxt_script(text)


@given(st.text(st.sampled_from("(){}[]\"'\\,;:.=!ak0 -")) | st.text())
def test_any_script_gives_plain_json_or_a_value_error(text):
    for whole in (START + text, script(f"return {text}"), script(text, "{}", "k")):
        with suppress(ValueError):
            json.dumps(nuxt_script(whole))


PAGE = script(
    'k.pageType="movies";k.components=[];return {data:[{content:k}],error:b,routePath:"\\u002Fmovie\\u002Fher\\u002F"}',
    "{},null",
    "k,b",
)


def test_every_truncation_is_broken():
    for length in range(len(START), len(PAGE) - 1):
        with pytest.raises(ValueError, match=r".+"):
            document(Document(f"<script>{PAGE[:length]}"))


def test_gives_the_pages_own_part():
    page = document(Document(f"<script>{PAGE}</script><script>alert(1)</script>"))
    assert page.root == {"pageType": "movies", "page": "movies", "path": "/movie/her/", "components": []}


def test_a_page_that_is_cut_off_is_broken():
    html = f'<html data-n-head="x"><body><div id="__nuxt">…</div><script>{PAGE}</script></body></html>'
    for end in (html.index("</div>"), html.index(START), html.index("return")):
        with pytest.raises(ValueError, match="cut off"):
            document(Document(html[:end]))


@pytest.mark.parametrize("state", ["{}", "{data:[]}", "{data:[{}]}", "{data:[{content:{}}]}", "{data:1}", "1"])
def test_a_state_without_a_page_is_broken(state):
    with pytest.raises(ValueError, match="no page in the state"):
        document(Document(f"<script>{script(f'return {state}')}"))


def test_what_a_user_writes_is_no_script():
    """Nothing in it is escaped in HTML, and the page is of another design, or has its own script behind."""
    text = f"<p>My page says &lt;script&gt; {START} and no more.</p>"
    assert document(Document(f"<html><body>{text}</body></html>")) is None
    assert document(Document(f"<body>{text}<script>{PAGE}</script>")).root["page"] == "movies"


def test_a_number_too_large_for_a_float_is_a_number():
    assert nuxt_script(script(f"return {'9' * 350}")) == int("9" * 350)


def test_other_pages_are_of_another_design():
    for text in ("<html><body>Hello</body></html>", '[["Ref",1],2]', "<script>window.__NUXT__={};</script>"):
        assert document(Document(text)) is None
