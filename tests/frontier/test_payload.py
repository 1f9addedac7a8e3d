"""What is kept of a request comes back equal; what would not is refused, and so is text that is no request."""

import base64
import datetime as dt
import json
import re
from enum import Enum

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request

from metacrawl.frontier.payload import decode, encode

URL = "http://127.0.0.1:8000/movie/her"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(TEXT, parts, max_size=3),
    max_leaves=8,
)
NAME = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8)
OBJECT = st.dictionaries(TEXT.filter(lambda name: name not in {"page", "download_slot", "download_latency"}), JSON)
REQUESTS = st.builds(
    Request,
    st.builds((URL + "?{}").format, TEXT),
    method=st.sampled_from(["GET", "post", "HEAD", "PROPFIND"]),
    headers=st.dictionaries(NAME, st.binary(max_size=8) | TEXT | st.lists(TEXT, min_size=1, max_size=3), max_size=3),
    body=st.binary(max_size=50),
    meta=OBJECT,
    cb_kwargs=OBJECT,
    flags=st.lists(TEXT, max_size=3),
    priority=st.integers(-(2**31), 2**31 - 1),
    dont_filter=st.booleans(),
)


class Kind(Enum):
    FILM = "film"


def parts(request):
    """All that a request is made of; `True` is not 1 here, nor `1.0`."""
    return {name: (repr(getattr(request, name)), getattr(request, name)) for name in request.attributes}


@given(REQUESTS)
@settings(deadline=None, max_examples=300)
def test_a_request_comes_back_as_it_was(request):
    assert parts(decode(encode(request))) == parts(request)


@given(REQUESTS)
@settings(deadline=None)
def test_what_is_kept_is_plain_text_of_one_line(request):
    kept = encode(request)
    assert json.loads(kept)["url"] == request.url
    assert "\n" not in kept


def test_what_scrapy_notes_of_the_transfer_and_whose_it_is_is_not_kept():
    noted = {"page": object(), "download_slot": "127.0.0.1", "download_latency": 0.1, "kind": "movie"}
    assert decode(encode(Request(URL, meta=noted))).meta == {"kind": "movie"}


def test_an_errback_is_not_kept():
    assert decode(encode(Request(URL, errback=print))).errback is None


def test_what_comes_back_shares_nothing_with_what_was_kept():
    meta = {"kinds": ["movie"]}
    kept = encode(Request(URL, meta=meta))
    decode(kept).meta["kinds"].append("details")
    assert decode(kept).meta == meta
    assert decode(encode(Request(URL))).meta is not decode(encode(Request(URL))).meta


@pytest.mark.parametrize(
    "given",
    [
        {"callback": print},
        {"cookies": {"session": "1"}},
        {"cookies": [{"name": "session", "value": "1"}]},
        *(
            {field: {"it": value}}
            for field in ("meta", "cb_kwargs")
            for value in (
                float("nan"),
                float("inf"),
                (1, 2),
                {1, 2},
                frozenset({1}),
                b"bytes",
                {1: "a number as a name"},
                [{"deep": (1,)}],
                dt.datetime(2017, 7, 16, tzinfo=dt.UTC),
                object(),
                Request(URL),
                Kind.FILM,
                print,
                "\ud800",
            )
        ),
        {"meta": {1: "a number as a name"}},
    ],
    ids=lambda given: re.sub(r" at 0x\w+", "", repr(given)),
)
def test_what_would_not_come_back_is_refused_with_the_url(given):
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:8000/movie/her cannot be kept|surrogates not allowed"):
        encode(Request(URL, **given))


def payload(**fields):
    return json.dumps({"url": URL, **fields})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '"http://127.0.0.1/"',
        payload()[:-1],
        payload() + "{}",
        payload(url=None),
        payload(url=[URL]),
        payload(method=1),
        payload(body="no base64!"),
        payload(body=["a"]),
        payload(headers={"Accept": "text/html"}),
        payload(headers={"Accept": [1]}),
        payload(headers=[]),
        payload(meta=[]),
        payload(cb_kwargs="x"),
        payload(flags="x"),
        payload(flags=[1]),
        payload(priority="1"),
        payload(priority=1.5),
        payload(dont_filter=1),
        payload(callback="parse"),
        payload(errback="parse"),
        payload(_class="scrapy.FormRequest"),
        payload(cookies={}),
        payload(encoding="utf-8"),
    ],
)
def test_what_is_no_request_is_refused(text):
    with pytest.raises(msgspec.MsgspecError):
        decode(text)


def test_what_looks_like_code_stays_what_it_is():
    """Nothing in it is looked up, imported or called: a request of plain Scrapy's make, without a callback."""
    meta = {"_class": "os.system", "callback": "__import__", "errback": "parse", "__reduce__": ["os.system", ["exit"]]}
    request = decode(payload(meta=meta, flags=["os.system"], body=base64.b64encode(b"cos\nsystem\n").decode()))
    assert type(request) is Request
    assert (request.callback, request.errback) == (None, None)
    assert request.meta == meta
