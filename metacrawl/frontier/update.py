"""What a run need not ask for, by what earlier ones have found: films that are not due, lists that have not moved."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec
import sqlalchemy as sa
from scrapy.settings import BaseSettings

from metacrawl.completeness import COMPLETE, LISTS, judge
from metacrawl.database import records, runs, visits
from metacrawl.database.completeness import read_totals
from metacrawl.database.films import DETAILS_FIRST
from metacrawl.database.rows import content, fetch, to_row
from metacrawl.database.schema import TABLES
from metacrawl.frontier import queue
from metacrawl.frontier.memory import is_wanted_anew, purpose_of
from metacrawl.frontier.page import Page
from metacrawl.frontier.payload import decode
from metacrawl.frontier.queue import Row, Worker
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.revisits import Revisits, Visit, read_revisits
from metacrawl.spiders.base import FilmSpider
from metacrawl.urls import PageKind

KINDS = {PageKind.CRITIC_REVIEWS: CriticReview, PageKind.USER_REVIEWS: UserReview}


@dataclass(frozen=True)
class Update:
    """How far a run is to read films."""

    read_for: str
    """What the run reads films for: the visits of others tell it nothing."""

    first_page: PageKind
    reviews: frozenset[PageKind]
    revisits: Revisits
    changed: bool
    """Leave out what has not changed; else all is read, and only noted for the next time."""


@dataclass(frozen=True)
class Rest:
    """Requests that a page leads to, and that need not be made if all that they would bring is there."""

    film: str
    reviews: PageKind | None
    """The list that they are for; none for pages that bring nothing new for certain."""

    rows: Sequence[Row]


def update_of(connection: sa.Connection, run: int, spider: FilmSpider, settings: BaseSettings) -> Update | None:
    """Tell how far a spider is to read films; nothing where pages do not come from the site. Raises `ConfigError`."""
    if spider.arguments.source != "site":
        return None
    # Who goes on with a run that was begun with `fresh=1` does not say so again.
    anew = is_wanted_anew(spider, settings) or runs.is_fresh(connection, run)
    changed = spider.arguments.update == "changed" and not anew
    return Update(purpose_of(spider), spider.first_page, spider.reviews, read_revisits(settings), changed)


def add_films(connection: sa.Connection, worker: Worker, rows: Iterable[Row]) -> set[str]:
    """Queue requests for films and for lists of them, but for films that are not due; returns as `queue.add` does."""
    rows, update = list(rows), worker.update
    if not (update and update.changed):
        return queue.add(connection, worker.run, rows)
    films = {row: decode(row.request).meta.get("film") for row in rows}
    found = visits.find(connection, update.read_for, {film for film in films.values() if film})
    now = dt.datetime.now(dt.UTC)
    due = {row: update.revisits.due_at(found[film], now) for row, film in films.items() if film in found}
    later = {row: due_at for row, due_at in due.items() if due_at > now}
    return queue.put_off(connection, worker.run, later) | queue.add(
        connection, worker.run, [row for row in rows if row not in later]
    )


def begin_films(connection: sa.Connection, worker: Worker, pages: Iterable[Page]) -> None:
    """Note which films these pages are the first of."""
    if worker.update:
        for film in sorted({film_of(page) for page in pages if kind_of(page) == worker.update.first_page}):
            visits.begin(connection, worker.run, worker.update.read_for, film)


def find_rests(connection: sa.Connection, worker: Worker, pages: Iterable[Page]) -> list[Rest]:
    """Find what pages lead to that need not be read; to be called before they are stored."""
    if not (worker.update and worker.update.changed):
        return []
    of_films = {page: film_of(page) for page in pages if "film" in page.request.meta}
    found = visits.find(connection, worker.update.read_for, set(of_films.values()))
    now = dt.datetime.now(dt.UTC)
    known = {film: visit for film, visit in found.items() if worker.update.revisits.sweep_at(visit) > now}
    return [
        rest
        for page, film in of_films.items()
        if film in known
        for rest in (
            rests_of_film(connection, worker.update, page, known[film])
            if kind_of(page) == PageKind.MOVIE
            else rests_of_list(connection, worker.run, page, film)
        )
        if rest.rows
    ]


def rests_of_film(connection: sa.Connection, update: Update, page: Page, visit: Visit) -> Iterator[Rest]:
    """Give the lists of which a film's page says the same numbers, and its details if it says the same of them."""
    movie = movie_of(page)
    if movie is None:
        return
    for reviews in update.reviews:
        if not visits.has_moved(visit, movie, reviews):
            yield Rest(visit.film, reviews, rows_of(page, LISTS[reviews]))
    said, says = visits.said_before(connection, visit.film, PageKind.MOVIE), msgspec.to_builtins(movie)
    if all(says[name] in (None, [], said.get(name, {}).get("value")) for name in DETAILS_FIRST):
        yield Rest(visit.film, None, rows_of(page, {PageKind.DETAILS}))


def rests_of_list(connection: sa.Connection, run: int, page: Page, film: str) -> Iterator[Rest]:
    """Give the rest of a list, newest first, behind a page of nothing but reviews that are known."""
    query = parse_qs(urlsplit(page.request.url).query)
    newest_first = "date" in query.get("sort", query.get("sort-by", ()))
    for reviews in LISTS:
        if newest_first and kind_of(page) in LISTS[reviews] and is_known(connection, run, page, reviews):
            yield Rest(film, reviews, rows_of(page, LISTS[reviews]))


def is_known(connection: sa.Connection, run: int, page: Page, reviews: PageKind) -> bool:
    """Tell whether all reviews of a page were stored as they are on it before the run began."""
    if page.recalled:
        return True
    kind = KINDS[reviews]
    given = [record for record in (*page.records, *page.repeated) if isinstance(record, kind)]
    keys = records.find_keys(connection, kind, given)
    stored = fetch(connection, TABLES[kind], [key for key in keys if key])
    began = runs.started_at(connection, run)
    return bool(given) and all(
        # When it was captured first like this: what the film's page has brought just now is news.
        key and is_before(stored[key]["captured_at"], began) and content(stored[key]) == content(to_row(review))
        for key, review in zip(keys, given, strict=True)
    )


def is_before(captured_at: dt.datetime | None, began: dt.datetime) -> bool:
    return captured_at is None or captured_at < began


def leave_out(connection: sa.Connection, worker: Worker, rests: Iterable[Rest]) -> tuple[set[str], Counter[str]]:
    """Take for met what need not be read, with what these pages have brought; returns the keys of the requests for it.

    Counts as `metacrawl.database.records.save` does.
    """
    keys: set[str] = set()
    counts: Counter[str] = Counter()
    for rest in rests:
        if rest.reviews and not are_all_there(connection, worker.run, rest.film, rest.reviews):
            continue
        if rest.reviews:
            counts += visits.meet_all(connection, worker.run, rest.film, rest.reviews)
        if worker.update:
            visits.spare(connection, worker.run, worker.update.read_for, rest.film)
        keys |= {row.key for row in rest.rows}
    return keys, counts


def are_all_there(connection: sa.Connection, run: int, film: str, reviews: PageKind) -> bool:
    """Tell whether as many reviews are stored as the pages of a run say that there are, and no more."""
    number = visits.count_there(connection, film, reviews)
    verdict = judge(read_totals(connection, run, {film})[film, reviews], number, None)
    return verdict.verdict == COMPLETE and not verdict.at_least and verdict.total == number


def rows_of(page: Page, kinds: Collection[str]) -> list[Row]:
    """Give the requests for pages of these kinds that a page leads to."""
    return [row for row in page.follow_ups if decode(row.request).meta.get("kind") in kinds]


def kind_of(page: Page) -> str:
    return str(page.request.meta.get("kind"))


def film_of(page: Page) -> str:
    """Name the film of a page, by its present name where the page tells."""
    movie = movie_of(page)
    return movie.slug if movie else str(page.request.meta["film"])


def movie_of(page: Page) -> Movie | None:
    return next((record for record in page.records if isinstance(record, Movie)), None)
