"""What is left out of a run, and what would come of it without each of the rules."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from scrapy.utils.test import get_crawler

from metacrawl.completeness import COMPLETE, FILM_PAGE, LIST, NONE, SHORT, Total
from metacrawl.database import completeness, records, runs, vanished, visits
from metacrawl.database.rows import upsert
from metacrawl.database.schema import COMPLETENESS, FRONTIER, LEFT_OUT, PROBLEMS, USER_REVIEWS, VISITS
from metacrawl.frontier import queue, update
from metacrawl.frontier.update import Update, add_films, update_of
from metacrawl.items import Movie
from metacrawl.outcome import Outcome, Problem
from metacrawl.revisits import Revisits
from metacrawl.spiders.movies import MoviesSpider
from metacrawl.urls import PageKind
from tests.frontier.parts import Database, review, row

USERS = PageKind.USER_REVIEWS
YESTERDAY = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=1)
MOVIE = Movie(
    key="her",
    slug="her",
    title="Her",
    user_score=8.5,
    directors=[],
    layout="2026",
    source_url="https://www.metacritic.com/movie/her",
    captured_at=YESTERDAY,
)
UPDATE = Update("for this", PageKind.MOVIE, frozenset({USERS}), Revisits(((float("inf"), 30),), 10_000), changed=True)
LIST_URL = "list?sort=date"
SETTINGS = {
    "METACRAWL_SITE_URL": "http://localhost",
    "METACRAWL_CONTACT": "",
    "METACRAWL_AUTHORS": "keep",
    "METACRAWL_REVISIT_DAYS": '{"older": 90}',
    "METACRAWL_SWEEP_DAYS": "180",
}


def total(number, source=FILM_PAGE, **about):
    return Total("her", USERS, source, number, captured_at=YESTERDAY, **about)


def a_page(database, worker, name, kind, *, leads_to=(), **brings):
    """Lease a page of the film's, with what it brings."""
    database.do(queue.add, database.run, [row(name, kind=kind, film="her")])
    leased = database.pages(worker)
    page = next(page for page in leased if page.request.url.endswith(f"/{name}"))
    database.do(queue.put_back, worker, [other.id for other in leased if other is not page])
    page.follow_ups = list(leads_to)
    for what, value in brings.items():
        setattr(page, what, value)
    return page


def list_row(name=LIST_URL):
    return row(name, kind="api-user-reviews", film="her")


def film_page(database, worker, number, movie=MOVIE):
    details = row("details", kind="details", film="her")
    return a_page(
        database, worker, "her", "movie", leads_to=[list_row(), details], records=[movie], totals=[total(number)]
    )


@pytest.fixture
def visited(database):
    """A second run, after one that has read the film with three reviews to its end."""
    worker = replace(database.worker(), update=UPDATE)
    database.turn(worker, film_page(database, worker, 3))
    written = [review(name) for name in "abc"]
    database.turn(worker, a_page(database, worker, LIST_URL, "api-user-reviews", records=written))
    database.do(visits.end, database.run, UPDATE.read_for, lambda _: True)
    database.do(runs.finish, database.run, Outcome.COMPLETE, "")
    database.do(lambda connection: connection.execute(sa.update(USER_REVIEWS).values(first_seen_at=YESTERDAY)))
    with database.engine.begin() as connection:
        second = runs.enter(connection, "job", "movies", {})
    return Database(database.engine, second)


@pytest.fixture
def worker(visited):
    return replace(visited.worker(), update=UPDATE)


def queued(database):
    return {name.rpartition("/")[2] for name, state in database.states().items() if state == "queued"}


def met(database):
    query = sa.select(USER_REVIEWS.c.author).where(USER_REVIEWS.c.seen_run == database.run)
    return set(database.do(lambda connection: connection.execute(query).scalars().all()))


def gone(database):
    query = sa.select(USER_REVIEWS.c.author).where(USER_REVIEWS.c.vanished_at.is_not(None))
    return set(database.do(lambda connection: connection.execute(query).scalars().all()))


def visit(database):
    return database.do(lambda connection: connection.execute(sa.select(VISITS)).one())


class TestAFilmThatIsThereAsItWas:
    def test_costs_one_request_and_all_of_it_is_met(self, visited, worker):
        turn = visited.turn(worker, film_page(visited, worker, 3))
        assert queued(visited) == set()
        assert met(visited) == {"a", "b", "c"}
        assert turn.counts == Counter({"unchanged": 4, "met/movies": 1, "met/user_reviews": 3})
        assert visit(visited).spared_run == visited.run

    def test_is_read_where_the_numbers_differ_from_what_is_stored(self, visited, worker, monkeypatch):
        visited.turn(worker, film_page(visited, worker, 2))
        assert queued(visited) == {LIST_URL}
        monkeypatch.setattr(update, "are_all_there", lambda *_: True)
        visited.turn(worker, a_page(visited, worker, "her-again", "movie", leads_to=[list_row()], records=[MOVIE]))
        assert met(visited) == {"a", "b", "c"}, "one of which is not there any more"

    def test_is_read_where_its_score_has_moved(self, visited, worker, monkeypatch):
        moved = replace(MOVIE, user_score=8.4)
        visited.turn(worker, film_page(visited, worker, 3, moved))
        assert queued(visited) == {LIST_URL}
        assert met(visited) == set()
        monkeypatch.setattr(visits, "has_moved", lambda *_: False)
        visited.turn(worker, a_page(visited, worker, "her-again", "movie", leads_to=[list_row()], records=[moved]))
        assert met(visited) == {"a", "b", "c"}, "though one was edited"

    def test_is_read_where_the_page_does_not_say_how_many_there_are(self, visited, worker):
        page = film_page(visited, worker, 3)
        page.totals = []
        visited.turn(worker, page)
        assert queued(visited) == {LIST_URL}

    def test_is_read_where_all_is_asked_for(self, visited):
        worker = replace(visited.worker(), update=replace(UPDATE, changed=False))
        visited.turn(worker, film_page(visited, worker, 3))
        assert queued(visited) == {LIST_URL, "details"}

    def test_is_read_where_it_was_read_for_something_else(self, visited):
        worker = replace(visited.worker(), update=replace(UPDATE, read_for="for that"))
        visited.turn(worker, film_page(visited, worker, 3))
        assert queued(visited) == {LIST_URL, "details"}

    def test_is_read_in_full_when_that_was_long_ago(self, visited):
        worker = replace(visited.worker(), update=replace(UPDATE, revisits=Revisits(UPDATE.revisits.days, 0)))
        visited.turn(worker, film_page(visited, worker, 3))
        assert queued(visited) == {LIST_URL, "details"}

    def test_has_its_details_read_where_its_page_says_something_new_of_them(self, visited, worker):
        visited.turn(worker, film_page(visited, worker, 3, replace(MOVIE, countries=["France"])))
        assert queued(visited) == {"details"}

    def test_has_its_reviews_that_are_not_stored_counted(self, visited, worker):
        left_out = {"film": "her", "review": "digest", "seen_run": 1}
        visited.do(upsert, LEFT_OUT, [left_out])
        visited.turn(worker, film_page(visited, worker, 4))
        assert queued(visited) == set()
        assert visited.do(completeness.count_stored, visited.run, USERS) == {"her": 4}


class TestAList:
    def a_page(self, database, worker, *authors, number=3, url=LIST_URL):
        written = [review(name) for name in authors]
        rest = [list_row(f"{LIST_URL}&offset=2")]
        said = [total(number, LIST, sorted_by="date", entries=len(authors))]
        return a_page(database, worker, url, "api-user-reviews", leads_to=rest, records=written, totals=said)

    def test_is_left_behind_a_page_that_is_known(self, visited, worker):
        visited.turn(worker, self.a_page(visited, worker, "a", "b"))
        assert queued(visited) == set()
        assert met(visited) == {"a", "b", "c"}

    def test_is_read_on_where_something_is_missing(self, visited, worker):
        visited.turn(worker, self.a_page(visited, worker, "a", "b", number=2))
        assert queued(visited) == {f"{LIST_URL}&offset=2"}

    def test_is_read_on_behind_a_review_that_has_changed(self, visited, worker):
        page = self.a_page(visited, worker, "a", "b")
        page.records[0].text = "On second thoughts"
        visited.turn(worker, page)
        assert queued(visited) == {f"{LIST_URL}&offset=2"}

    def test_is_read_on_behind_what_the_films_page_has_brought_just_now(self, visited, worker, monkeypatch):
        now = dt.datetime.now(dt.UTC)
        shown = film_page(visited, worker, 3, replace(MOVIE, user_score=1.0))
        edited = replace(review("a", text="On second thoughts"), captured_at=now)
        shown.records.append(edited)
        visited.turn(worker, shown)
        page = self.a_page(visited, worker, "b", url="first?sort=date")
        page.repeated = [edited]
        assert not visited.do(update.is_known, visited.run, page, USERS)
        monkeypatch.setattr(update, "is_before", lambda *_: True)
        assert visited.do(update.is_known, visited.run, page, USERS), "though others may follow"

    def test_is_read_on_behind_a_page_of_nothing(self, visited, worker):
        visited.turn(worker, self.a_page(visited, worker))
        assert queued(visited) == {f"{LIST_URL}&offset=2"}

    def test_is_read_to_its_end_in_any_other_order(self, visited, worker):
        visited.turn(worker, self.a_page(visited, worker, "a", "b", url="list?sort=score"))
        assert queued(visited) == {f"{LIST_URL}&offset=2"}


class TestAFilmThatIsNotDue:
    def test_is_not_asked_for(self, visited, worker):
        film = row("her", kind="movie", film="her")
        other = row("other", kind="movie", film="other")
        assert visited.do(add_films, worker, [film, other]) == {film.key, other.key}
        assert queued(visited) == {"other"}
        number, first = visited.do(queue.not_due, visited.run)
        began = visited.do(runs.started_at, 1)
        assert (number, first) == (1, began + dt.timedelta(days=29.5))
        assert not visited.do(add_films, worker, [film]), "it is known"

    def test_is_asked_for_where_all_is(self, visited, worker):
        everything = replace(worker, update=replace(UPDATE, changed=False))
        visited.do(add_films, everything, [row("her", kind="movie", film="her")])
        assert queued(visited) == {"her"}

    def test_is_read_to_its_end_where_it_became_so_meanwhile(self, visited, worker):
        visited.do(lambda connection: connection.execute(sa.update(VISITS).values(visited_at=None)))
        page = a_page(visited, worker, "her", "movie", leads_to=[list_row()], records=[MOVIE])
        visited.do(lambda connection: connection.execute(sa.update(VISITS).values(visited_at=YESTERDAY)))
        page.totals = [total(2)]
        visited.turn(worker, page)
        assert queued(visited) == {LIST_URL}
        assert visited.do(add_films, worker, [list_row("as a film's")])
        assert queued(visited) == {LIST_URL}, "it would be put off"

    def test_is_remembered_when_the_run_is_over(self, visited, worker):
        visited.do(add_films, worker, [row("her", kind="movie", film="her")])
        visited.do(runs.finish, visited.run, Outcome.COMPLETE, "")
        assert visited.do(queue.not_due, visited.run)[0] == 1
        visited.do(runs.forget, "job")
        assert visited.do(lambda connection: connection.execute(sa.select(FRONTIER)).all()) == []


class TestAVisit:
    def test_is_kept_with_what_the_page_said(self, visited):
        entered = visit(visited)
        began = visited.do(runs.started_at, 1)
        assert (entered.visited_at, entered.swept_at) == (began, began)
        assert entered.figures == {"user_score": 8.5}

    def test_that_has_spared_a_list_is_no_sweep(self, visited, worker):
        visited.do(lambda connection: connection.execute(sa.update(VISITS).values(swept_at=YESTERDAY)))
        visited.turn(worker, film_page(visited, worker, 3))
        visited.do(visits.end, visited.run, UPDATE.read_for, lambda _: True)
        assert visit(visited).swept_at == YESTERDAY
        visited.turn(worker, film_page_again(visited, worker))
        visited.do(lambda connection: connection.execute(sa.update(VISITS).values(spared_run=None)))
        visited.do(visits.end, visited.run, UPDATE.read_for, lambda _: True)
        assert visit(visited).swept_at > YESTERDAY

    def test_that_went_wrong_is_none(self, visited, worker):
        visited.turn(worker, film_page(visited, worker, 3))
        visited.do(visits.end, visited.run, UPDATE.read_for, lambda _: False)
        assert visited.do(visits.find, UPDATE.read_for, {"her"}) == {}

    def test_by_a_clock_that_was_ahead_is_none_and_the_next_one_counts(self, visited, worker):
        ahead = sa.update(VISITS).values(visited_at=YESTERDAY.replace(year=2999), swept_at=YESTERDAY.replace(year=2999))
        visited.do(lambda connection: connection.execute(ahead))
        assert visited.do(visits.find, UPDATE.read_for, {"her"}) == {}
        visited.turn(worker, film_page(visited, worker, 3))
        visited.do(visits.end, visited.run, UPDATE.read_for, lambda _: True)
        began = visited.do(runs.started_at, visited.run)
        assert (visit(visited).visited_at, visit(visited).swept_at) == (began, began)

    def test_of_a_film_with_problems_is_none(self, visited):
        problem = Problem(Outcome.PARTIAL, "wrong")
        visited.do(runs.note, visited.run, [problem], page=1, about={"film": "her", "kind": "details"})
        visited.do(runs.note, visited.run, [problem], page=2, about={"film": "him", "kind": "user-reviews"})
        explained = {"user-reviews"}
        found = visited.do(runs.films_with_problems, visited.run, lambda _, kind: kind in explained)
        assert found == {"her"}


def film_page_again(database, worker):
    return a_page(database, worker, "her-again", "movie", records=[MOVIE])


class TestWhatIsNotMet:
    @pytest.fixture
    def judged(self, visited, worker):
        """Meet two of three reviews, and enter the verdict."""

        def judge(verdict=COMPLETE, stored=2, *, agree=True, said=()):
            met = [review(name) for name in "ab"[:stored]]
            visited.turn(worker, a_page(visited, worker, "page", "api-user-reviews", records=met, totals=list(said)))
            about = {"film": "her", "reviews": USERS.value, "run": visited.run, "verdict": verdict, "stored": stored}
            rest = {"total": 2, "at_least": False, "source": LIST, "missing": 0, "why": None, "totals": {}}
            visited.do(upsert, COMPLETENESS, [about | rest | {"agree": agree}])

        return judge

    def test_has_vanished(self, visited, judged):
        judged()
        visited.do(upsert, LEFT_OUT, [{"film": "her", "review": "digest", "seen_run": 1}])
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == {"c"}
        assert visited.do(visits.count_there, "her", USERS) == 2

    def test_has_not_where_the_list_is_short(self, visited, judged):
        judged(SHORT)
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == set()

    def test_has_not_where_a_page_of_the_list_went_wrong(self, visited, judged):
        judged()
        problem, about = Problem(Outcome.PARTIAL, "wrong"), {"film": "her", "kind": "api-user-reviews"}
        visited.do(runs.note, visited.run, [problem], page=1, about={"film": "him"} | {"kind": "api-user-reviews"})
        visited.do(runs.note, visited.run, [problem], page=2, about=about)
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == set()
        visited.do(lambda connection: connection.execute(sa.delete(PROBLEMS).where(PROBLEMS.c.film == "her")))
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == {"c"}

    def test_has_not_where_another_run_has_found_it_since(self, visited, judged):
        since = visited.do(runs.started_at, visited.run)
        judged()
        visited.do(lambda connection: connection.execute(sa.update(USER_REVIEWS).values(first_seen_at=since)))
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == set()

    def test_has_not_where_the_list_moved_while_it_was_read(self, visited, judged, monkeypatch):
        judged(said=[total(3, LIST, page=page, entries=1) for page in range(1)] + [total(2, LIST, page=1, entries=1)])
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == set()
        monkeypatch.setattr(vanished, "has_moved", lambda _: False)
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == {"c"}, "which may only have slipped past"

    def test_has_not_where_a_list_is_suddenly_empty_and_the_films_page_knows_better(self, visited, judged):
        judged(stored=0, agree=False, said=[total(3), total(0, NONE)])
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == set()
        judged_empty = sa.update(COMPLETENESS).values(agree=True)
        visited.do(lambda connection: connection.execute(judged_empty))
        visited.do(vanished.mark, visited.run)
        assert gone(visited) == {"a", "b", "c"}


@pytest.mark.parametrize("given", [{}, {"fresh": "1"}])
def test_who_goes_on_with_a_run_that_was_begun_anew_reads_all(database, given):
    crawler = get_crawler(MoviesSpider, SETTINGS)
    spider = MoviesSpider.from_crawler(crawler, movie="her")
    run = database.do(runs.enter, "another job", "movies", given)
    assert database.do(update_of, run, spider, crawler.settings).changed == (not given)


def test_a_run_may_end_with_all_films_of_a_large_collection(database):
    if database.engine.dialect.name == "postgresql":
        database.do(records.lock_films, [f"film-{number}" for number in range(20_000)])
