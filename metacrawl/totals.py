"""What a page says of how many reviews its film has."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from parsel import Selector

from metacrawl.completeness import FILM_PAGE, LIST, LISTS, NONE, PAGES, SCORE, Total
from metacrawl.items import Movie
from metacrawl.layouts.rules import PageRules, ReviewList
from metacrawl.processors import count
from metacrawl.selectors import select
from metacrawl.urls import PageKind, PageRef

if TYPE_CHECKING:
    from metacrawl.extract import Page


def find_totals(page: Selector, rules: PageRules, found: "Page") -> Iterator[Total]:
    """Give every number of reviews of each kind that a page tells of its film."""
    if rules.critic_reviews:
        about = describe(PageKind.CRITIC_REVIEWS, len(found.critic_reviews), found)
        yield from totals_beside(page, rules, rules.critic_reviews, about)
    if rules.user_reviews:
        about = describe(PageKind.USER_REVIEWS, len(found.user_reviews), found)
        yield from totals_beside(page, rules, rules.user_reviews, about)
    for film in found.movies:
        yield from scored_reviews(film)


def describe(kind: PageKind, entries: int, found: "Page") -> Total:
    """Say what the numbers of a kind of review on a page are about."""
    ref, whole = found.ref, found.layout.lists.get(kind)
    again = PageRef(whole.kind, ref.slug, whole.again).url if whole and whole.again else ""
    about = Total(ref.slug, kind, FILM_PAGE, entries=entries, again=again)
    if ref.kind not in LISTS[kind]:
        return about
    query = dict(ref.query)
    return replace(about, source=LIST, sorted_by=query.get("sort") or query.get("sort-by") or "", page=ref.number)


def totals_beside(page: Selector, rules: PageRules, reviews: ReviewList, about: Total) -> Iterator[Total]:
    """Read the numbers beside the reviews of one kind."""
    number = count(select(page, reviews.total).get() or "") if reviews.total else None
    if number is not None:
        yield replace(about, number=number)
    elif not about.entries and select(page, reviews.empty):
        yield replace(about, source=NONE)
    pages = count(select(page, rules.last_page).get() or "") if rules.last_page else None
    if pages and about.entries and about.page < pages - 1:
        # Where a review comes in meanwhile, a page repeats one of the page before.
        yield replace(about, source=PAGES, number=(pages - 1) * (about.entries - 1) + 1, at_least=True)


def scored_reviews(film: Movie) -> Iterator[Total]:
    """Read on how many critics' reviews a score is based: those without a score are not among them."""
    # What was no number is text still.
    bars = [bar for bar in (film.critic_positive, film.critic_mixed, film.critic_negative) if isinstance(bar, int)]
    numbers = film.critic_review_count, sum(bars) if len(bars) == 3 else None
    number = max((number for number in numbers if isinstance(number, int)), default=0)
    if number:
        yield Total(film.slug, PageKind.CRITIC_REVIEWS, SCORE, number, at_least=True)
