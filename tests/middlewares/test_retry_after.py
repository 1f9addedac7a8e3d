"""How long a server is left in peace."""

import asyncio
import datetime as dt
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings

from metacrawl.frontier.failures import outcome_of
from metacrawl.frontier.hosts import LONGEST
from metacrawl.frontier.quiet import LeftError
from metacrawl.middlewares.retry_after import (
    JITTER,
    MOST,
    RETRIES,
    RetryAfterMiddleware,
    seconds,
)
from metacrawl.outcome import Outcome

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
        ("99999", 99999),
        ("9" * 5000, LONGEST),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 12:01:00 -0000", 60),
        ("Sunday, 01-Mar-26 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2099 12:00:00 GMT", LONGEST),
        *((value, None) for value in ("", "soon", "-5", "1.5", "²", "Sun, 32 Mar 2026 12:00:00 GMT")),
    ],
)
def test_seconds_and_times_are_read(value, wait):
    assert seconds(value, NOW) == wait


@given(st.text() | st.integers().map(str) | st.from_regex(r"\w{3}, \d+ (Mar|Feb) \d+ \d+:\d+:\d+ [+-]?\w+"))
def test_no_value_is_too_far_away_for_a_clock_or_breaks_it(value):
    wait = seconds(value, NOW)
    assert wait is None or 0 <= wait <= LONGEST


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(429, "5"), Outcome.RATE_LIMITED),
        (answer(429), Outcome.RATE_LIMITED),
        (answer(429, b"\xff"), Outcome.RATE_LIMITED),
        (answer(503, "5"), Outcome.RATE_LIMITED),
        (answer(503), Outcome.SITE_DOWN),
        (answer(503, "soon"), Outcome.SITE_DOWN),
        (answer(500, "5"), Outcome.SITE_DOWN),
    ],
)
def test_a_busy_server_is_told_from_one_that_is_down(response, outcome):
    assert outcome_of(response) is outcome


@pytest.fixture
def middleware():
    """The middleware of a crawl whose slot `cdx` may have two requests at a time."""
    crawler = SimpleNamespace(settings=Settings(), stats=SimpleNamespace(inc_value=lambda *_: None))
    crawler.spider = SimpleNamespace(crawler=crawler, name="movies")
    return RetryAfterMiddleware(crawler, None, 1, {"cdx": {"concurrency": 2}})


class NoLedger:
    """A database in which no pause was noted."""

    def __init__(self):
        self.noted = []

    async def write(self, action):
        self.noted.append(action.keywords)
        return 0.0


@pytest.fixture
def halted(middleware):
    """What the run of the same crawl is halted for."""
    problems = []
    middleware.run = SimpleNamespace(halt=problems.append, ledger=NoLedger())
    return problems


def take(middleware, request, response):
    """Have the middleware take in an answer."""
    return asyncio.run(middleware.process_response(request, response))


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
            assert (await middleware.process_response(first, answer(200))).status == 200
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
    again = take(middleware, Request(URL), answer(429, "600"))
    assert isinstance(again, Request)
    assert under_way(middleware, again) == 0
    assert under_way(middleware, Request("http://localhost/movie/her")) == 1


@pytest.mark.parametrize("asked", [{}, {"download_slot": "cdx"}])
def test_the_wait_holds_for_all_slots_of_the_server(middleware, asked):
    take(middleware, Request(URL, meta=asked), answer(429, "600"))
    assert under_way(middleware, Request(URL), Request(URL, meta={"download_slot": "cdx"})) == 0
    assert under_way(middleware, Request("http://localhost/cdx", meta={"download_slot": "cdx"})) == 1


def test_a_short_wait_does_not_cut_a_long_one(middleware):
    take(middleware, Request(URL), answer(429, "600"))
    take(middleware, Request(URL), answer(429, "0"))
    assert under_way(middleware, Request(URL)) == 0


def test_it_is_asked_only_so_often(middleware):
    request, tries = Request(URL), 0
    while isinstance(request, Request):
        request = take(middleware, request, answer(429, "0"))
        tries += 1
    assert tries == 1 + RETRIES
    assert request.status == 429


def test_a_run_waits_for_a_quarter_of_an_hour(middleware, halted):
    assert isinstance(take(middleware, Request(URL), answer(503, f"{MOST:.0f}")), Request)
    assert halted == []


@pytest.mark.parametrize("value", ["901", "9" * 5000, "Sun, 01 Mar 2099 12:00:00 GMT"])
def test_a_longer_wait_is_not_cut_but_ends_the_run(middleware, halted, value):
    assert take(middleware, Request(URL), answer(429, value)).status == 429
    assert [problem.outcome for problem in halted] == [Outcome.RATE_LIMITED]
    assert re.fullmatch(r"127\.0\.0\.1 wants no requests until 20\d\d-\S+Z", halted[0].message)
    assert under_way(middleware, Request(URL)) == 0


def test_others_are_told_of_a_wait(middleware, halted):
    take(middleware, Request(URL), answer(429, "7"))
    assert middleware.run.ledger.noted == [{"host": "127.0.0.1", "seconds": 7.0}]


def test_a_pause_that_others_were_told_of_is_kept_by_those_who_come(middleware, halted):
    async def noted(action):
        return 600.0

    middleware.run.ledger.write = noted
    assert under_way(middleware, Request(URL)) == 0
    assert halted == []


@pytest.fixture
def pauses(middleware, monkeypatch):
    """How long the middleware pauses after each of some answers; all come when the pause before is over."""
    monkeypatch.setattr(middleware.quiet, "hold_back", lambda *_: None)

    def after(*answers):
        return [middleware.wait_after("127.0.0.1", answer) for answer in answers]

    return after


@pytest.mark.parametrize("status", [429, 503])
def test_without_a_time_each_pause_is_twice_as_long_until_the_run_ends(pauses, status):
    waits = pauses(*[answer(status), answer(status, "soon"), answer(status, "-5"), answer(status), answer(status)])
    for wait, least in zip(waits, [60, 120, 240, 480, 960], strict=True):
        assert least <= wait <= least * (1 + JITTER)
    assert max(waits[:4]) <= MOST < waits[4]


def test_a_pause_is_not_always_the_same(pauses, middleware):
    assert len({middleware.wait_after(f"host-{number}", answer(429)) for number in range(5)}) > 1


def test_an_ordinary_answer_makes_good_for_refusals(pauses, middleware):
    pauses(answer(429), answer(429))
    take(middleware, Request(URL), answer(404))
    assert pauses(answer(429))[0] < 120


def test_requests_that_were_under_way_together_are_refused_once(middleware):
    waits = []
    for _ in range(8):
        waits.append(middleware.wait_after("127.0.0.1", answer(429)))
        middleware.quiet.hold_back("127.0.0.1", waits[-1])
    assert max(waits) < 120


@pytest.mark.parametrize(("response", "outcome"), [(answer(429), "RATE_LIMITED"), (answer(503), "SITE_DOWN")])
def test_a_server_that_keeps_refusing_ends_the_run(middleware, halted, response, outcome):
    middleware.refusals["127.0.0.1"] = 4
    assert take(middleware, Request(URL), response) is response
    assert [problem.outcome.name for problem in halted] == [outcome]


def test_nothing_is_asked_for_again_where_that_is_switched_off(middleware):
    middleware.retries = 0
    assert take(middleware, Request(URL), answer(429, "1")).status == 429


def test_without_a_run_a_longer_wait_is_an_answer_as_any_other(middleware):
    assert take(middleware, Request(URL), answer(429, "901")).status == 429


def test_whoever_waits_when_the_crawl_ends_is_left(middleware):
    async def end_while_one_waits():
        middleware.quiet.hold_back("127.0.0.1", 600)
        request = Request(URL)
        waiting = asyncio.ensure_future(middleware.process_request(request))
        await asyncio.sleep(0)
        middleware.quiet.end()
        with pytest.raises(LeftError):
            await waiting
        middleware.process_exception(request, LeftError())
        with pytest.raises(LeftError):
            await middleware.process_request(Request(URL))

    asyncio.run(asyncio.wait_for(end_while_one_waits(), 5))
