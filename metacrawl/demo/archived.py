"""The records that a correct crawl of the demo's web archive ends with.

How a crawl *at* a time chooses:

1. The film's page: of its captures with status 200 and type `text/html`, and those that repeat one of these, the
   nearest to the time; of two as near, the earlier. A capture that turns out to show an error page is passed over.
2. Its other pages: for each of them (kind and page number) in the same design, the capture nearest to that of the
   film's page, at most `REACH` away. A parameter other than `page` makes it another page, which is not read.

No page is followed to the next: what the archive's index lists is read, also beyond a page that is missing.
A *series* is the film's page alone, once for each digest.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from metacrawl.demo.history import film_as_of
from metacrawl.demo.pages import list_page
from metacrawl.demo.snapshots import Capture, Snapshots
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import CriticPiece, Film, UserPost, World
from metacrawl.items import Movie, Record

Review = TypeVar("Review", CriticPiece, UserPost)
REACH = dt.timedelta(days=180)
CLASSIC = frozenset({"2010", "2016"})
ON_FILM_PAGE = 7
FIRST_CRITICS, FIRST_USERS = {"2023": 50, "2026": 10}, 50
"""How many reviews the lists since 2023 have before a script loads more."""

FROM_USER_REVIEWS = {"2010": ("user_positive", "user_mixed", "user_negative")}
"""What a design says on its pages of user reviews only."""


def expected_at(world: World, snapshots: Snapshots, slug: str, at: dt.datetime) -> list[Record]:
    """List what the pages say that were captured nearest to a time; `captured_at` stands in the film's record only."""
    chosen = chosen_at(snapshots, slug, at)
    if not chosen:
        return []
    film = world.film(slug)
    reviews = replace(
        film,
        critic_reviews=once_each(piece for page in chosen for piece in pieces_on(page, film)),
        user_reviews=once_each(post for page in chosen for post in posts_on(page, film)),
    )
    records = expected_records(World(films=[reviews]), chosen[0].design)
    return [movie_on(chosen, film), *(record for record in records if not isinstance(record, Movie))]


def expected_series(
    world: World, snapshots: Snapshots, slug: str, since: dt.datetime, until: dt.datetime
) -> list[Movie]:
    """List what a film's page said, the oldest first, from the first capture of each digest in a range of time."""
    captures: dict[str, Capture] = {}
    for page in good(snapshots, slug):
        if page.kind == "movie" and since <= page.time <= until:
            captures.setdefault(snapshots.digest(page), page)
    return [movie_on([page], world.film(slug)) for page in captures.values()]


def chosen_at(snapshots: Snapshots, slug: str, at: dt.datetime) -> list[Capture]:
    """List the captures that a crawl at a time reads, the film's page first; none where it was never captured."""
    pages = good(snapshots, slug)
    films = [page for page in pages if page.kind == "movie"]
    if not films:
        return []
    first = nearest(films, at)
    others: dict[tuple[str, int], list[Capture]] = {}
    for page in pages:
        if page.kind != "movie" and page.design == first.design and abs(page.time - first.time) <= REACH:
            others.setdefault((page.kind, page.page), []).append(page)
    return [first, *(nearest(others[key], first.time) for key in sorted(others))]


def good(snapshots: Snapshots, slug: str) -> list[Capture]:
    """List the captures that show one of a film's pages as it is by default, the oldest first."""
    pages = (page for page in snapshots.of(slug) if page.shows in {"page", "again"} and page.plain)
    return sorted(pages, key=lambda page: page.time)


def nearest(pages: list[Capture], time: dt.datetime) -> Capture:
    return min(pages, key=lambda page: (abs(page.time - time), page.time))


def pieces_on(page: Capture, film: Film) -> list[CriticPiece]:
    """List the critic reviews that a captured page shows, in its order."""
    pieces = film_as_of(film, page.time.date()).critic_reviews
    if page.design not in CLASSIC:
        by_score = sorted(pieces, key=lambda piece: -1 if piece.score is None else piece.score, reverse=True)
        by_date = sorted(pieces, key=lambda piece: piece.date or dt.date.min, reverse=True)
        return {"movie": by_score[:ON_FILM_PAGE], "critic-reviews": by_date[: FIRST_CRITICS[page.design]]}.get(
            page.kind, []
        )
    return {"movie": pieces[:ON_FILM_PAGE], "critic-reviews": pieces}.get(page.kind, [])


def posts_on(page: Capture, film: Film) -> list[UserPost]:
    """List the user reviews that a captured page shows, in its order."""
    then = film_as_of(film, page.time.date())
    if page.design not in CLASSIC:
        latest = sorted(then.user_reviews, key=lambda post: (post.saved_at, post.review_id), reverse=True)
        listed = [] if film.scripted and page.design == "2026" else latest[:FIRST_USERS]
        return {"movie": latest[:ON_FILM_PAGE], "user-reviews": listed}.get(page.kind, [])
    listing = list_page(then, page.page, "")
    if page.kind == "user-reviews" and listing:
        return listing.posts
    return then.user_reviews[:ON_FILM_PAGE] if page.kind == "movie" else []


def movie_on(chosen: list[Capture], film: Film) -> Movie:
    """Merge what the captured pages say of the film itself."""
    first = chosen[0]
    then = film_as_of(film, first.time.date())
    if first.design == "2016" and not any(page.kind == "details" for page in chosen):
        then = without_details(then)
    record = movie_of(then, first.design)
    record.captured_at = first.time
    lists = [page for page in chosen if page.kind == "user-reviews"]
    if names := FROM_USER_REVIEWS.get(first.design):
        latest = max(lists, key=lambda page: page.time, default=None)
        listed = movie_of(film_as_of(film, latest.time.date()), first.design) if latest else Movie()
        for name in names:
            setattr(record, name, getattr(listed, name))
    return record


def movie_of(film: Film, design: str) -> Movie:
    return next(record for record in expected_records(World(films=[film]), design) if isinstance(record, Movie))


def without_details(film: Film) -> Film:
    """Take away what the design of 2016 says on the details page only."""
    return replace(
        film,
        home_release_date=None,
        countries=[],
        languages=[],
        production_company=None,
        official_site=None,
        writers=[],
        cast=[],
        directors=[replace(credit, role=None) for credit in film.directors],
        principal_cast=[replace(credit, role=None) for credit in film.principal_cast],
    )


def once_each(reviews: Iterable[Review]) -> list[Review]:
    """Drop what is there again; a review is itself, however alike another one may be."""
    return list({id(review): review for review in reviews}.values())
