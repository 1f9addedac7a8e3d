"""The judge of pages: the demo's films raise no alarm in any design and order, and a rule that breaks soon does."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from urllib.parse import unquote

import pytest

from metacrawl.demo.backend import Backend
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.world import World
from metacrawl.drift import IN_A_ROW, Judge
from metacrawl.extract import Page, extract
from metacrawl.figures import Figures
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.layouts.floors import FLOORS
from metacrawl.urls import PageKind, PageRef

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
HTML = ("2010", "2016", "2023", "2026")
# By the requirement.
SOON = 50
BY_DATE = {PageKind.USER_REVIEWS: (("sort-by", "date"), ("num_items", "100"))}
RECORDS = {Movie: "movies", CriticReview: "critic_reviews", UserReview: "user_reviews"}


def pages_of(design, slug: str) -> Iterator[Page]:
    """Read all pages of a film in a design, each list to its end."""
    for kind in (PageKind.MOVIE, PageKind.DETAILS, PageKind.CRITIC_REVIEWS, PageKind.USER_REVIEWS):
        page: PageRef | None = PageRef(kind, slug, BY_DATE.get(kind, ()))
        while page and (text := design.answer(unquote(page.path.partition("?")[0]), dict(page.query))):
            read = extract(text.encode(), NOON, url=page.url)
            yield read
            page = read.next_page


def answers_of(backend: Backend, slug: str) -> Iterator[Page]:
    """Read the answers of the back end about a film, each list to its end."""
    for kind in (PageKind.API_MOVIE, PageKind.API_CRITIC_REVIEWS, PageKind.API_USER_REVIEWS):
        page: PageRef | None = PageRef(kind, slug)
        while page:
            _, body = backend.answer(unquote(page.path.partition("?")[0]), dict(page.query))
            read = extract(json.dumps(body).encode(), NOON, url=page.url)
            yield read
            page = read.next_page


@pytest.fixture(scope="module")
def films() -> dict[str, list[list[Page]]]:
    """By design, the pages of each film: of those that carry a difficulty."""
    world = World(films=build_world().films[:18])
    for film in world.films:
        # Two pages of a list are enough.
        del film.user_reviews[150:]
    site = designs(world)
    found = {name: [list(pages_of(site[name], film.slug)) for film in world.films] for name in HTML}
    return found | {"api": [list(answers_of(Backend(world), film.slug)) for film in world.films]}


@pytest.fixture(scope="module")
def by_kind(films) -> dict[tuple[str, PageKind], list[Page]]:
    """By design and kind, all pages."""
    found = defaultdict(list)
    for name, pages in films.items():
        for page in (page for film in pages for page in film):
            found[name, page.ref.kind].append(page)
    return found


class Store:
    """What is stored of the pages that a judge sees."""

    def __init__(self, before: Figures | None = None) -> None:
        self.judge: Judge[int] = Judge(before or Figures(), Figures())
        self.pages: list[Page] = []
        self.held: set[int] = set()
        self.stored: set[int] = set()
        self.changed = self.wrong = ""

    def see(self, page: Page) -> None:
        """Judge a page, and do what follows."""
        number = len(self.pages)
        self.pages.append(page)
        sight = self.judge.see(page, number, page.ref.url)
        self.changed, self.wrong = self.changed or sight.changed, self.wrong or sight.wrong
        self.stored |= set(sight.cleared)
        self.held -= {*sight.cleared, *sight.misread}
        if sight.hold:
            self.held.add(number)
        elif not (sight.wrong or sight.changed):
            self.stored.add(number)


def without(page: Page, kind: type, name: str) -> Page:
    """Give a page as if a rule had found nothing."""
    empty = [] if isinstance(getattr(kind(), name), list) else None
    return replace(page, **{RECORDS[kind]: [replace(one, **{name: empty}) for one in getattr(page, RECORDS[kind])]})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("design", [*HTML, "api"])
def test_the_demos_films_raise_no_alarm_in_any_order(films, design, seed):
    store = Store()
    order = Random(seed)  # noqa: S311 - no secret
    for film in order.sample(films[design], len(films[design])):
        for page in film:
            store.see(page)
    assert (store.changed, store.wrong) == ("", "")
    assert len(store.held) <= 3


def test_films_that_nobody_has_reviewed_raise_no_alarm(films):
    """They may have nothing but a title."""
    store = Store()
    [bare] = [film[0] for film in films["2026"] if film[0].ref.slug == "unfinished-weather"]
    lacks = [field for field in FLOORS["2026", PageKind.MOVIE][Movie] if field != "title"]
    for number in range(100):
        page = bare
        for name in lacks:
            page = without(page, Movie, name)
        [film] = page.movies
        store.see(
            replace(page, ref=PageRef(PageKind.MOVIE, f"film-{number}"), movies=[replace(film, title=f"{number}")])
        )
    assert store.changed == ""
    assert store.held == set()


KINDS = [
    *((name, kind) for name in HTML for kind in (PageKind.MOVIE, PageKind.CRITIC_REVIEWS, PageKind.USER_REVIEWS)),
    ("2016", PageKind.DETAILS),
    *(("api", kind) for kind in (PageKind.API_MOVIE, PageKind.API_CRITIC_REVIEWS, PageKind.API_USER_REVIEWS)),
]


@pytest.mark.parametrize(("design", "kind"), KINDS)
def test_a_rule_that_breaks_raises_the_alarm_before_anything_wrong_is_stored(by_kind, design, kind):
    before, after = by_kind[design, kind][-10:], (by_kind[design, kind] * 3)[:SOON]
    for record, fields in FLOORS[design, kind].items():
        for name in fields:
            # Two kinds of page may share a rule for what only one has.
            if all(getattr(one, name) is None for page in after for one in getattr(page, RECORDS[record])):
                continue
            store = Store()
            for page in before:
                store.see(page)
            for page in after:
                store.see(without(page, record, name))
                if store.changed:
                    break
            assert f": no {record.__name__} has its {name}, on " in store.changed
            assert store.stored <= set(range(len(before))), name


def test_a_field_that_comes_back_clears_the_pages_without_it(by_kind):
    store = Store()
    for number, page in enumerate(by_kind["2016", PageKind.MOVIE][8:15]):
        store.see(without(page, Movie, "genres") if number in {3, 4} else page)
        assert store.held == {3: {3}, 4: {3, 4}}.get(number, set())
    assert store.stored == set(range(7))


def test_a_page_of_many_reviews_without_a_text_is_wrong_by_itself(by_kind):
    store = Store()
    store.see(without(by_kind["2016", PageKind.USER_REVIEWS][0], UserReview, "text"))
    assert store.wrong == "user-reviews page of layout 2016: no UserReview of 100 has its text"
    assert store.changed == ""


@pytest.mark.parametrize(("record", "name"), [(Movie, "title"), (CriticReview, "excerpt"), (UserReview, "author")])
def test_a_field_that_turns_constant_raises_the_alarm(by_kind, record, name):
    store = Store()
    for page in by_kind["2016", PageKind.MOVIE][:40]:
        same = [replace(one, **{name: "Movie Reviews"}) for one in getattr(page, RECORDS[record])]
        store.see(replace(page, **{RECORDS[record]: same}))
        if store.changed:
            break
    assert f"every {record.__name__} has the same {name}" in store.changed
    assert len(store.pages) <= SOON
    assert len(store.stored) <= 1


def test_the_pages_of_one_film_may_agree(by_kind):
    store = Store()
    page = by_kind["2016", PageKind.USER_REVIEWS][0]
    for number in range(30):
        reviews = [replace(review, author=f"{review.author}{number}") for review in page.user_reviews]
        store.see(replace(page, user_reviews=reviews))
    assert store.changed == ""


def test_copies_of_a_film_raise_no_alarm(by_kind):
    """One that stands in several lists under several names: everything is the same, not only its title."""
    store = Store()
    for number in range(30):
        page = by_kind["2016", PageKind.MOVIE][0]
        store.see(replace(page, ref=PageRef(PageKind.MOVIE, f"copy-{number}")))
    assert (store.changed, store.held) == ("", set())


def test_earlier_runs_in_which_fewer_films_had_a_field_make_the_judge_slower(by_kind):
    def pages_until_alarm(before: Figures) -> int:
        store = Store(before)
        for page in by_kind["2016", PageKind.MOVIE] * 4:
            store.see(without(page, Movie, "content_rating"))
            if store.changed:
                return len(store.pages)
        return 1000

    before = Figures()
    before.count("records", "2016/movie/Movie", 200)
    before.count("filled", "2016/movie/Movie/content_rating", 60)
    assert pages_until_alarm(Figures()) <= 20
    assert 30 <= pages_until_alarm(before) <= SOON


def test_pages_that_cannot_be_read_one_after_the_other_raise_the_alarm(by_kind):
    judge = Judge[int](Figures(), Figures())
    page = by_kind["2016", PageKind.MOVIE][0]
    for _ in range(3):
        assert [judge.see_unread("movie") for _ in range(IN_A_ROW - 1)] == [""] * (IN_A_ROW - 1)
        for number in range(10):
            judge.see(page, number, "")
    assert [judge.see_unread("details") for _ in range(IN_A_ROW)][-1] == "none of the last 5 details pages can be read"


def test_every_second_page_that_cannot_be_read_raises_the_alarm(by_kind):
    judge = Judge[int](Figures(), Figures())
    said = []
    for number in range(10):
        judge.see(by_kind["2016", PageKind.MOVIE][number], number, "")
        said.append(judge.see_unread("movie"))
    assert said == [""] * 9 + ["10 of the last 20 movie pages cannot be read"]


@pytest.mark.parametrize(("design", "kind"), [("2016", PageKind.USER_REVIEWS), ("api", PageKind.API_CRITIC_REVIEWS)])
def test_lists_that_are_cut_short_one_after_the_other_raise_the_alarm(films, design, kind):
    store, lists = Store(), 0
    for film in films[design]:
        first = [page for page in film if page.ref.kind is kind][:1]
        if first and first[0].next_page:
            lists += 1
            for page in [page for page in film if page.ref.kind is PageKind.MOVIE]:
                store.see(page)
            store.see(replace(first[0], next_page=None))
        if store.changed:
            break
    assert lists == 3
    assert "3 lists in a row do not have as many reviews as the site says" in store.changed


@pytest.mark.parametrize("told", [True, False])
def test_lists_of_which_a_page_was_not_read_for_it_is_still_the_same_raise_no_alarm(films, told):
    """Unless the judge is not told."""
    store, lists = Store(), 0
    for film in films["api"]:
        pages = [page for page in film if page.ref.kind is PageKind.API_USER_REVIEWS]
        if len(pages) > 2:
            lists += 1
            store.see(pages[0])
            if told:
                store.judge.skip(pages[1].ref.slug)
            store.see(pages[-1])
    assert lists >= 3
    assert bool(store.changed) is not told
