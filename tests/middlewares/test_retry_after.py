"""How long a server is left in peace."""

import asyncio
import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings

from metacrawl.middlewares.retry_after import DEFAULT, MOST, RETRIES, RetryAfterMiddleware, seconds, wait_of

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
URL = "http://127.0.0.1/movie/her"


def answer(status, *values):
    return Response(URL, status=status, headers={"Retry-After": list(values)} if values else {})


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("99999", MOST),
        ("9" * 5000, MOST),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 12:01:00 -0000", 60),
        ("Sunday, 01-Mar-26 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2099 12:00:00 GMT", MOST),
        *((value, None) for value in ("", "soon", "-5", "1.5", "²", "Sun, 32 Mar 2026 12:00:00 GMT")),
    ],
)
def test_seconds_and_times_are_read(value, wait):
    assert seconds(value, NOW) == wait


@given(st.text() | st.integers().map(str) | st.from_regex(r"\w{3}, \d+ (Mar|Feb) \d+ \d+:\d+:\d+ [+-]?\w+"))
def test_no_value_makes_it_longer_than_an_hour_or_breaks_it(value):
    wait = seconds(value, NOW)
    assert wait is None or 0 <= wait <= MOST


@pytest.mark.parametrize(
    ("response", "wait"),
    [
        (answer(429, "5"), 5),
        (answer(429), DEFAULT),
        (answer(429, "soon"), DEFAULT),
        (answer(429, b"\xff"), DEFAULT),
        (answer(503, "5"), 5),
        (answer(503), None),
        (answer(503, "soon"), None),
        (answer(500, "5"), None),
        (answer(200, "5"), None),
    ],
)
def test_only_a_busy_server_is_waited_for(response, wait):
    assert wait_of(response) == wait


@pytest.fixture
def middleware():
    """The middleware of a crawl whose slot `cdx` may have two requests at a time."""
    crawler = SimpleNamespace(settings=Settings(), stats=SimpleNamespace(inc_value=lambda *_: None))
    crawler.spider = SimpleNamespace(crawler=crawler, name="movies")
    return RetryAfterMiddleware(crawler, 1, {"cdx": {"concurrency": 2}})


def under_way(middleware, *requests):
    """Count the requests that pass while none comes to its end."""

    async def count():
        tasks = [asyncio.ensure_future(middleware.process_request(request)) for request in requests]
        for _ in range(5):
            await asyncio.sleep(0)
        passed = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return passed

    return asyncio.run(count())


def test_a_slot_lets_no_more_pass_than_it_sends_at_a_time(middleware):
    assert under_way(middleware, Request(URL), Request(URL), Request("http://localhost/movie/her")) == 2


def test_a_slot_of_its_own_has_its_own_number(middleware):
    assert under_way(middleware, *(Request(URL, meta={"download_slot": "cdx"}) for _ in range(4))) == 2


@pytest.mark.parametrize("ends", ["response", "exception"])
def test_the_next_passes_when_one_has_ended(middleware, ends):
    first, second = Request(URL), Request(URL)

    async def one_after_the_other():
        await middleware.process_request(first)
        if ends == "response":
            assert middleware.process_response(first, answer(200)).status == 200
        else:
            middleware.process_exception(first, TimeoutError())
        await asyncio.wait_for(middleware.process_request(second), 5)

    asyncio.run(one_after_the_other())


def test_one_that_never_passed_frees_no_place(middleware):
    async def one_fails_elsewhere():
        middleware.process_exception(Request(URL), TimeoutError())
        await middleware.process_request(Request(URL))

    asyncio.run(one_fails_elsewhere())
    assert under_way(middleware, Request(URL)) == 0


def test_a_busy_server_is_asked_again_and_by_nobody_else_meanwhile(middleware):
    again = middleware.process_response(Request(URL), answer(429, "600"))
    assert isinstance(again, Request)
    assert under_way(middleware, again) == 0
    assert under_way(middleware, Request("http://localhost/movie/her")) == 1


@pytest.mark.parametrize("asked", [{}, {"download_slot": "cdx"}])
def test_the_wait_holds_for_all_slots_of_the_server(middleware, asked):
    middleware.process_response(Request(URL, meta=asked), answer(429, "600"))
    assert under_way(middleware, Request(URL), Request(URL, meta={"download_slot": "cdx"})) == 0
    assert under_way(middleware, Request("http://localhost/cdx", meta={"download_slot": "cdx"})) == 1


def test_a_short_wait_does_not_cut_a_long_one(middleware):
    middleware.process_response(Request(URL), answer(429, "600"))
    middleware.process_response(Request(URL), answer(429, "0"))
    assert under_way(middleware, Request(URL)) == 0


def test_it_is_asked_only_so_often(middleware):
    request, tries = Request(URL), 0
    while isinstance(request, Request):
        request = middleware.process_response(request, answer(429, "0"))
        tries += 1
    assert tries == 1 + RETRIES
    assert request.status == 429
