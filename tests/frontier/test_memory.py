"""A page that is still the same brings what it has brought before; what was not whole is not taken for that."""

import asyncio
import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from metacrawl.authors import LeftOut
from metacrawl.completeness import LIST, Total
from metacrawl.database import completeness, pages, runs
from metacrawl.database.schema import LEFT_OUT, MOVIE_HISTORY, USER_REVIEWS
from metacrawl.frontier import memory, queue
from metacrawl.frontier.memory import read_for, recall
from metacrawl.frontier.payload import decode, encode
from metacrawl.frontier.scheduler import FrontierScheduler
from metacrawl.frontier.turn import Worker
from metacrawl.items import Movie
from metacrawl.middlewares.conditional import ConditionalMiddleware, validators_of
from metacrawl.outcome import Outcome, Problem
from metacrawl.urls import PageKind
from tests.frontier.parts import SITE, review, row

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
TAG = {"If-None-Match": '"1"'}
FILM = "https://www.metacritic.com/movie/her"


def lease(database, name="her"):
    """Lease a page of a film as a new worker; gives both."""
    worker = replace(database.worker(), read_for="the same")
    database.do(queue.add, database.run, [row(name, film="her")])
    [page] = database.pages(worker, 1)
    return worker, page


def bring(page):
    """Have a page bring something of each kind."""
    page.read = SimpleNamespace()
    page.validators = dict(TAG)
    page.records = [Movie(key="her", slug="her", title="Her", source_url=FILM, captured_at=NOON), review("Ann")]
    page.totals = [Total("her", PageKind.USER_REVIEWS, LIST, 1, entries=1, captured_at=NOON)]
    page.left_out = [LeftOut("her", "0123")]
    page.figures = {"pages": {"2026/movie": 1}}
    page.follow(Request(f"{SITE}her/details", meta={"film": "her"}, priority=-1), "details")


def begin_anew(database):
    """End the run, and begin another one of the same job."""
    database.do(runs.finish, database.run, Outcome.COMPLETE, "all")
    database.run = database.do(runs.enter, "job", "movies", {})


@pytest.fixture
def known(database):
    """A page that a run has read; the next one is at it."""
    worker, page = lease(database)
    bring(page)
    database.turn(worker, page)
    begin_anew(database)


def seen(database):
    return set(database.do(lambda connection: connection.execute(sa.select(USER_REVIEWS.c.seen_run)).scalars().all()))


@pytest.mark.usefixtures("known")
def test_a_page_that_is_the_same_brings_all_that_it_has_brought(database):
    worker, page = lease(database)
    recall(page, page.memory)
    assert page.figures == {"pages": {"2026/movie": 1}}
    counts = database.turn(worker, page).counts
    assert +counts == {"unchanged": 2, "met/movies": 1, "met/user_reviews": 1}
    assert database.states() == {"her": "done", "details": "queued"}
    [details] = database.pages(worker)
    assert (details.request.priority, details.request.meta["film"]) == (-1, "her")
    assert seen(database) == {database.run}
    [[said, *more]] = database.do(completeness.read_totals, database.run).values()
    assert (said.number, said.entries, more) == (1, 1, [])
    assert said.captured_at > NOON, "the site has just said so"
    [left_out] = database.do(lambda connection: connection.execute(sa.select(LEFT_OUT)).all())
    assert (left_out.review, left_out.seen_run) == ("0123", database.run)
    [entry] = database.do(lambda connection: connection.execute(sa.select(MOVIE_HISTORY)).all())
    assert entry.last_captured_at > NOON

    begin_anew(database)
    assert lease(database)[1].memory, "it is known as it was"


@pytest.mark.usefixtures("known")
def test_a_page_that_is_the_same_and_was_lost_to_another_worker_brings_nothing(database, second):
    worker, page = lease(database)
    recall(page, page.memory)
    other = second.worker()
    second.run = database.run
    second.reclaim(other)
    assert database.turn(worker, page).counts["late"] == 1
    assert seen(database) == {database.run - 1}
    assert database.states() == {"her": "queued"}


@pytest.mark.usefixtures("known")
def test_a_page_of_which_a_review_is_gone_is_not_known(database):
    database.do(lambda connection: connection.execute(sa.delete(USER_REVIEWS)))
    assert lease(database)[1].memory is None


def be_wrong(page):
    page.note(Problem(Outcome.LAYOUT, "no score"))


def be_dead(page):
    page.fail(Problem(Outcome.LAYOUT, "no known page design"))


def have_no_tag(page):
    page.validators = {}


def lead_elsewhere(page):
    page.read = None


def come_by_a_redirect(page):
    page.request.meta["redirect_urls"] = [f"{SITE}untitled"]


def be_a_list_of_films(page):
    del page.request.meta["film"]


def repeat_what_is_not_stored(page):
    page.repeated.append(review("Bob"))


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "differ",
    [
        *(be_wrong, be_dead, have_no_tag, lead_elsewhere),
        *(come_by_a_redirect, be_a_list_of_films, repeat_what_is_not_stored),
    ],
    ids=lambda differ: differ.__name__,
)
def test_a_page_that_may_bring_something_else_next_time_is_forgotten(database, differ):
    worker, page = lease(database)
    assert page.memory
    bring(page)
    differ(page)
    database.turn(worker, page)
    begin_anew(database)
    assert lease(database)[1].memory is None


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("differ", "kept"), [(be_wrong, False), (be_dead, True)], ids=["wrong", "dead"])
def test_with_a_page_that_is_wrong_the_others_of_its_film_are_forgotten(database, differ, kept):
    """Where a list goes on without end, its last page has nothing new only beside the others."""
    worker, page = lease(database, "reviews")
    bring(page)
    differ(page)
    database.turn(worker, page)
    begin_anew(database)
    assert bool(lease(database)[1].memory) is kept


@pytest.mark.parametrize("together", [True, False])
def test_no_review_takes_the_place_of_one_that_is_the_same(database, together):
    """A second one under its key, of a page that is stored with it, or was before."""
    worker, page = lease(database)
    bring(page)
    page.records = [review("Ann", review_id="1", text="One.")]
    database.turn(worker, page)
    begin_anew(database)
    worker, page = lease(database)
    database.do(queue.add, database.run, [row("reviews", film="her")])
    [other] = database.pages(worker, 1)
    recall(page, page.memory)
    other.records = [review("Ann", review_id="2", text="Two.")]
    if together:
        database.turn(worker, other, page)
    else:
        database.turn(worker, other)
        assert not database.turn(worker, page).counts["late"]
        assert database.states()["her"] == "queued"
        [page] = database.pages(worker, 1)
        assert page.memory is None, "it is asked for anew"
        page.records = [review("Ann", review_id="1", text="One.")]
        database.turn(worker, page)
    texts = database.do(lambda connection: connection.execute(sa.select(USER_REVIEWS.c.text)).scalars().all())
    assert sorted(texts) == ["One.", "Two."]
    assert database.states()["her"] == "done"


@pytest.mark.usefixtures("known")
def test_what_cannot_be_stored_again_is_forgotten(database):
    worker, page = lease(database)
    recall(page, page.memory)
    be_dead(page)
    database.turn(worker, page)
    begin_anew(database)
    assert lease(database)[1].memory is None


def test_a_site_that_goes_on_saying_that_a_page_is_the_same_is_asked_for_it_after_a_month(database, monkeypatch):
    """A page that is the same is no younger for it."""
    worker, page = lease(database)
    bring(page)
    database.turn(worker, page)
    begin_anew(database)
    for days, known in ((20, True), (40, False)):
        now = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
        clock = SimpleNamespace(**vars(dt) | {"datetime": SimpleNamespace(now=lambda _, now=now: now)})
        monkeypatch.setattr(pages, "dt", clock)
        worker, page = lease(database)
        assert bool(page.memory) is known
        if page.memory:
            recall(page, page.memory)
            database.turn(worker, page)
            begin_anew(database)


def test_a_review_that_another_page_has_brought_is_one_of_the_page_too(database):
    """Else it would be missed when that page has changed, and has it no longer."""
    for name in ("her", "reviews"):
        worker, page = lease(database, name)
        bring(page)
        if name == "reviews":
            page.repeated, page.records = page.records, []
        database.turn(worker, page)
    begin_anew(database)
    worker, page = lease(database, "reviews")
    recall(page, page.memory)
    assert database.turn(worker, page).counts["met/user_reviews"] == 1


def test_nothing_is_kept_of_pages_that_are_not_the_sites(database, worker):
    for _ in range(2):
        database.do(queue.add, database.run, [row("her", film="her")])
        [page] = database.pages(worker, 1)
        assert page.memory is None
        bring(page)
        database.turn(worker, page)
        begin_anew(database)
        worker = Worker(database.worker().id, database.run, 60)


def test_what_a_page_is_read_for_is_told_apart(monkeypatch):
    def spider(name="movies", source="site", reviews=("user-reviews", "critic-reviews"), urls=("http://127.0.0.1",)):
        place = SimpleNamespace(base_urls=list(urls))
        arguments = SimpleNamespace(source=source)
        return SimpleNamespace(name=name, arguments=arguments, reviews=frozenset(reviews), source=place)

    others = [
        *(spider("user_reviews"), spider(reviews=["user-reviews"])),
        spider(urls=["http://127.0.0.1", "http://127.0.0.1/backend"]),
    ]
    same = read_for(spider())
    assert read_for(spider(reviews=("critic-reviews", "user-reviews"))) == same
    assert len({same, *map(read_for, others)}) == 4
    assert not read_for(spider(source="archive"))
    monkeypatch.setattr(memory, "__version__", "99.0.0")
    assert read_for(spider()) != same


# --- On the way to the site and back


def answer(page, status, middleware):
    """Have the site be asked, and answer; gives what it was asked."""
    middleware.process_request(page.request)
    response = Response(page.request.url, status=status, headers={"ETag": '"2"'})
    assert middleware.process_response(page.request, response) is response
    return page.request.headers.get("If-None-Match")


@pytest.mark.usefixtures("known")
def test_the_site_is_asked_and_what_it_answers_is_taken_in(database):
    _, page = lease(database)
    assert answer(page, 304, ConditionalMiddleware(anew=False)) == b'"1"'
    assert page.recalled
    assert decode(encode(page.request)).headers == {}, "where it is redirected to is another page"


@pytest.mark.usefixtures("known")
def test_a_page_that_has_changed_is_read(database):
    _, page = lease(database)
    assert answer(page, 200, ConditionalMiddleware(anew=False)) == b'"1"'
    assert (page.recalled, page.validators) == (False, {"If-None-Match": '"2"'})


@pytest.mark.usefixtures("known")
def test_an_answer_to_what_was_not_asked_is_none(database):
    _, page = lease(database)
    assert answer(page, 304, ConditionalMiddleware(anew=True)) is None
    assert not page.recalled
    page.memory = None
    assert answer(page, 304, ConditionalMiddleware(anew=False)) is None
    assert not page.recalled


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("error", "dead"),
    [(HttpError(Response(SITE, status=304)), False), (ValueError("broken"), True)],
    ids=["answer", "failure"],
)
def test_a_page_that_is_the_same_and_fails_on_its_way_is_given_up(database, error, dead):
    """Else nobody would end it, and the crawl would wait for it for ever."""
    _, page = lease(database)
    recall(page, page.memory)
    ended = []

    async def commit(page):
        ended.append(page)

    def do_without(page, problem):
        page.fail(problem)

    run = SimpleNamespace(do_without=do_without, ledger=SimpleNamespace(commit=commit))
    signals = SimpleNamespace(connect=lambda *_: None)
    scheduler = FrontierScheduler(SimpleNamespace(get_extension=lambda _: run, signals=signals, stats=None))
    asyncio.run(scheduler.failed(SimpleNamespace(value=error, request=page.request)))
    assert (page.dead, ended) == (dead, [page] if dead else [])


@pytest.mark.parametrize(
    ("headers", "asks"),
    [
        ({"ETag": 'W/"a b"', "Last-Modified": "Sun, 01 Mar 2026 12:01:00 GMT"}, 2),
        ({"Last-Modified": "Sun, 01 Mar 2026 12:01:00 GMT"}, 1),
        ({"ETag": ""}, 0),
        ({"ETag": b'"\xff"'}, 0),
        ({"ETag": '"\0"'}, 0),
        ({"ETag": "x" * 5000}, 0),
        ({}, 0),
    ],
    ids=["both", "time", "empty", "binary", "NUL", "long", "none"],
)
def test_only_what_can_stand_in_a_header_is_sent_back(headers, asks):
    assert len(validators_of(Response(SITE, headers=headers))) == asks
