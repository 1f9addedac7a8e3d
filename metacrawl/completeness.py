"""Whether all that the site has is stored: what its pages say of that, and the verdict. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from metacrawl.urls import PageKind

# What a number of reviews is taken from, the best first: the answer or page of the whole list; what a film's page
# says beside the first reviews; its word that there are none; how many pages the list has; what a score is based on.
LIST, FILM_PAGE, NONE, PAGES, SCORE = "list", "film page", "none", "pages", "score"
SOURCES = (LIST, FILM_PAGE, NONE, PAGES, SCORE)

# The pages of each list, on the site and at its back end.
LISTS = {
    PageKind.CRITIC_REVIEWS: {PageKind.CRITIC_REVIEWS, PageKind.API_CRITIC_REVIEWS, PageKind.API_CRITIC_REVIEWS_PAGE},
    PageKind.USER_REVIEWS: {PageKind.USER_REVIEWS, PageKind.API_USER_REVIEWS, PageKind.API_USER_REVIEWS_PAGE},
}

# The URLs of a film's page, and of a list's, wherever they are served.
FILM_URL = re.compile(r"://.*/movie/[^/?]+$")
LIST_URL = re.compile(r"://.*(?:/reviews/|/(?:movies-)?(?:critic|user)-reviews(?:[/?]|$))")

# Before a page is known to be captured.
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)

COMPLETE, SHORT, UNKNOWN = "complete", "short", "unknown"
# Why a verdict is `unknown` though all was read.
NOT_SAID = "no page says how many there are"


@dataclass
class Total:
    """How many reviews of one kind a page says that its film has."""

    film: str
    reviews: PageKind
    """`CRITIC_REVIEWS` or `USER_REVIEWS`."""

    source: str
    """One of `SOURCES`."""

    number: int = 0
    at_least: bool = False
    """There may be more."""

    sorted_by: str = ""
    """The order of the list that the page is of; empty for one that is of none."""

    page: int = 0
    """The number of the page in the list, or of its first entry."""

    entries: int = 0
    """How many of the reviews the page has."""

    again: str = ""
    """The site's own URL of the list in another order; empty where the layout knows none."""

    captured_at: dt.datetime = NEVER


@dataclass(frozen=True)
class Verdict:
    """Whether all reviews of one kind that a film has are stored."""

    verdict: str
    """`complete`, `short` or `unknown`."""

    total: int | None
    at_least: bool
    source: str | None
    stored: int
    missing: int
    why: str | None
    totals: dict[str, int]
    agree: bool


def judge(said: Sequence[Total], stored: int, failure: str | None) -> Verdict:
    """Hold what the pages have said against how many are stored.

    `said` is in the order of capture. `failure` is the first thing that went wrong with a page of the list, or with the
    film's own.
    """
    # Of exact numbers the last one counts, of the others the highest.
    last = {one.source: one for one in sorted(said, key=lambda one: one.at_least and one.number)}
    exact = next((last[source] for source in SOURCES if source in last and not last[source].at_least), None)
    least = max((one for one in last.values() if one.at_least), key=lambda one: one.number, default=None)
    # The word that there are none is no number to set against one.
    best = least if least and least.number and exact and exact.source == NONE else exact or least
    number = best.number if best else 0
    missing = max(0, number - stored)
    moved = has_moved(said)
    if missing:
        verdict = SHORT
        why = failure or ("the list moved while it was read" if moved else "the list has fewer than that")
    elif failure and not exact:
        verdict, why = UNKNOWN, failure
    elif exact and stored > number and moved:
        # Reviews were taken away: whether others slipped past cannot be told.
        verdict, why = UNKNOWN, "the list moved while it was read"
    elif best:
        verdict, why = COMPLETE, None
    else:
        verdict, why = UNKNOWN, failure or NOT_SAID
    return Verdict(
        verdict=verdict,
        total=number if best else None,
        at_least=bool(best and best.at_least),
        source=best.source if best else None,
        stored=stored,
        missing=missing,
        why=why,
        totals={source: last[source].number for source in SOURCES if source in last},
        agree=agree(last.values()),
    )


def place_in_words(why: str) -> str:
    """Shorten what went wrong with a page, by its URL, for a line that has the film.

    >>> place_in_words("https://example.org/reviews/metacritic/user/movies/her/web?sort=date&offset=50: HTTP 500")
    'list, from entry 50: HTTP 500'
    """
    url, _, what = why.partition(": ")
    if FILM_URL.search(url):
        return f"film page: {what}"
    if not LIST_URL.search(url):
        return why
    query = dict(parse_qsl(urlsplit(url).query))
    if "offset" in query:
        return f"list, from entry {query['offset']}: {what}"
    return f"list, page {query['page']}: {what}" if "page" in query else f"list, first page: {what}"


def has_moved(said: Iterable[Total]) -> bool:
    """Tell whether the number of reviews changed while the list was read the last time."""
    pages = [one for one in said if one.source == LIST]
    return len({one.number for one in pages if one.sorted_by == pages[-1].sorted_by}) > 1


def agree(said: Iterable[Total]) -> bool:
    """Tell whether numbers can all be true."""
    said = list(said)
    exact = {one.number for one in said if not one.at_least}
    return len(exact) <= 1 and all(one.number <= number for one in said if one.at_least for number in exact)
