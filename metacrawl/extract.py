"""A page's bytes → its records. Pure: no engine, no network, no clock."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from parsel import Selector, SelectorList

from metacrawl.bounds import BoundsError, check_entries, check_length
from metacrawl.completeness import Total
from metacrawl.encoding import decode
from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.keys import critic_review_key, names_account, user_review_key
from metacrawl.layouts import Known, View, identify, views
from metacrawl.layouts.rules import Block, Layout, PageRules, ReviewList
from metacrawl.layouts.signs import is_the_sites
from metacrawl.loaders import (
    AwardLoader,
    CreditLoader,
    CriticReviewLoader,
    MovieLoader,
    RankingLoader,
    RecordLoader,
    Tried,
    UserReviewLoader,
)
from metacrawl.processors import count
from metacrawl.selectors import Document, select
from metacrawl.totals import find_totals
from metacrawl.urls import (
    FILM_KINDS,
    FILM_PAGES,
    LISTING_KINDS,
    SITE,
    PageKind,
    PageRef,
    UrlError,
    film_slug,
    parse,
    unarchived,
)

LIST_LOADERS: dict[str, type[RecordLoader]] = {
    "directors": CreditLoader,
    "writers": CreditLoader,
    "cast": CreditLoader,
    "rankings": RankingLoader,
    "awards": AwardLoader,
}


class LayoutError(ValueError):
    """The page cannot be read: no known design, cut off, or without what its kind always has."""


class StrangeError(LayoutError):
    """Nothing on the page is the site's."""


class HostileError(LayoutError):
    """It holds more than any page of the site's; `bound` tells of what, in a word."""

    def __init__(self, error: BoundsError) -> None:
        super().__init__(str(error))
        self.bound = error.bound


@dataclass
class Page:
    """What one page gives."""

    ref: PageRef
    layout: Layout
    movies: list[Movie] = field(default_factory=list)
    """The film; none on a list of the back end's, many in a listing."""

    critic_reviews: list[CriticReview] = field(default_factory=list)
    user_reviews: list[UserReview] = field(default_factory=list)
    next_page: PageRef | None = None

    lacks: list[str] = field(default_factory=list)
    """What it should have and has not, in words, beside records that are well."""

    total: int | None = None
    """How many entries the list has that this page is a part of, as the page says."""

    totals: list[Total] = field(default_factory=list)
    """How many reviews of each kind the film has, by all that the page says of that."""

    tried: Tried = field(default_factory=dict)
    """Which expressions were applied, and which of them gave something."""

    @property
    def records(self) -> Iterator[Record]:
        """All records of the page, films first."""
        yield from self.movies
        yield from self.critic_reviews
        yield from self.user_reviews


def extract(
    body: bytes, captured_at: dt.datetime, *, url: str = "", saved_as: str = "", content_type: str = ""
) -> Page:
    """Read the records of a page: a film's, or a listing of films.

    `captured_at` is when the site showed the page. `url` is the site's own URL of it (not an archive's, a mirror's or a
    file's); without one the page must name itself, else it is taken for `saved_as`. `content_type` is the HTTP header's
    value, where there was one.

    Raises `LayoutError` for anything but a whole page of films in a known design; it tells what is wrong, not where:
    the caller knows the page's address.
    """
    text = decode(body, content_type)
    try:
        check_length(text)
        found = read_document(Document(text), url, saved_as)
    except BoundsError as error:
        raise HostileError(error) from None
    for record in found.records:
        record.captured_at = captured_at
    for total in found.totals:
        total.captured_at = captured_at
    return found


def read_document(document: Document, url: str, saved_as: str) -> Page:
    """Find out what a page is, and read it. Raises `LayoutError` and `BoundsError`."""
    try:
        seen = list(views(document))
    except BoundsError:
        raise
    except ValueError as error:
        raise LayoutError(str(error)) from None
    ref, url = page_ref(seen, url, saved_as)
    known = identify(seen)
    if known is None:
        if is_the_sites(document):
            raise LayoutError("no known page design, though it is a page of Metacritic's")
        raise StrangeError("no known page design: is it a page of Metacritic's?")
    where = f"{known.kind} page of layout {known.layout.name}"
    if known.kind != ref.kind:
        raise LayoutError(f"{where}: expected a page of kind {ref.kind}")
    if not (document.is_json or document.ends_in(*known.layout.end)):
        raise LayoutError(f"{where}: cut off, no {known.layout.end[0]} at its end")
    try:
        found = read(known, ref, url)
    except LayoutError as error:
        raise LayoutError(f"{where}: {error}") from None
    for record in found.records:
        record.layout, record.source_url = known.layout.name, url
    return found


def read(known: Known, ref: PageRef, url: str) -> Page:
    """Apply a page's rules. Raises `LayoutError` where it lacks what its kind always has."""
    layout, page, _, rules = known
    found = Page(ref, layout)
    if rules.total:
        found.total = count(select(page, rules.total).get() or "")
    if rules.movie:
        found.movies = [load_movie(page, rules, found, url)]
    if rules.films:
        found.movies = list(load_films(page, rules.films, found, url))
    if rules.critic_reviews:
        nodes = blocks(page, rules.critic_reviews, PageKind.CRITIC_REVIEWS, found)
        found.critic_reviews = list(load_critic_reviews(nodes, rules.critic_reviews, found, url))
    if rules.user_reviews:
        nodes = blocks(page, rules.user_reviews, PageKind.USER_REVIEWS, found)
        found.user_reviews = list(load_user_reviews(nodes, rules.user_reviews, found))
    found.next_page = find_next_page(page, rules, found)
    found.totals = list(find_totals(page, rules, found))
    return found


def page_ref(seen: list[View], url: str, saved_as: str) -> tuple[PageRef, str]:
    """Tell which page this is, and the URL to record for it.

    The slug is the one by which the page names itself: a renamed film's old URL shows the film under its new one.
    """
    names = (select(page, layout.itself).get() for layout, page in seen)
    itself = next(filter(None, names), "")
    asked = url or unarchived(itself) or saved_as
    if not asked:
        raise LayoutError("no canonical link and no telling file name: which page is it?")
    try:
        ref, asked = parse(asked), urljoin(SITE, asked)
    except UrlError as error:
        raise LayoutError(str(error)) from None
    try:
        named = parse(itself) if itself else ref
    except UrlError:
        named = ref
    if named.kind not in FILM_KINDS | LISTING_KINDS:
        raise LayoutError(f"no page of a film, but {asked} ({named.kind})")
    return PageRef(ref.kind, named.slug, ref.query), asked


def entries(node: Selector, at: str) -> SelectorList[Any]:
    """Find what a record is made from each of. Raises `BoundsError`."""
    found = select(node, at)
    check_entries(found)
    return found


def blocks(page: Selector, reviews: ReviewList, kind: PageKind, found: Page) -> list[Selector]:
    """Find the blocks of one kind of review; none only where the page says that there are none.

    A film's page that only shows the first reviews of a list that is elsewhere lacks them, and is well otherwise.
    """
    nodes = [block for node in entries(page, reviews.container) for block in entries(node, reviews.block.at)]
    check_entries(nodes)
    if nodes or is_behind_the_end(found) or select(page, reviews.empty):
        return nodes
    says = f"neither {kind.partition('-')[0]} reviews nor a word that there are none"
    if not found.movies or found.ref.kind not in FILM_PAGES or found.layout.lists[kind].kind in found.layout.pages:
        raise LayoutError(says)
    found.lacks.append(says)
    return []


def is_behind_the_end(found: Page) -> bool:
    """Tell whether a page of a list begins where the list has ended, which it does when entries are taken away."""
    return found.ref.counts_entries and found.total is not None and 0 < found.ref.number >= found.total


def load_movie(page: Selector, rules: PageRules, found: Page, url: str) -> Movie:
    loader = MovieLoader(selector=page, base_url=url)
    for block in rules.movie:
        for node in entries(page, block.at):
            part = MovieLoader(item=loader.item, parent=loader, selector=node, base_url=url)
            part.apply(block.rules, found.tried)
    for name, block in rules.lists.items():
        parts = [LIST_LOADERS[name](selector=node) for node in entries(page, block.at)]
        loader.add_value(name, [part.apply(block.rules, found.tried).load_item() for part in parts])
    movie: Movie = loader.load_item()
    for name in rules.required:
        if getattr(movie, name) is None:
            raise LayoutError(f"without its {name}")
    return identified(movie, found.ref.slug)


def load_films(page: Selector, rows: Block, found: Page, url: str) -> Iterator[Movie]:
    """Read the rows of a listing; there are none only at its end, and one of no film's is no reason to lose others."""
    nodes = entries(page, rows.at)
    if not nodes and found.total and not is_behind_the_end(found):
        raise LayoutError(f"no film, though the list has {found.total}")
    for node in nodes:
        movie: Movie = MovieLoader(selector=node, base_url=url).apply(rows.rules, found.tried).load_item()
        try:
            yield identified(movie, film_slug(movie.slug))
        except UrlError as error:
            found.lacks.append(f"a film of the list: {error}")


def identified(movie: Movie, slug: str) -> Movie:
    """Give a film the parts that follow from its slug."""
    movie.key = movie.slug = slug
    movie.url = PageRef(PageKind.MOVIE, slug).url
    return movie


def load_critic_reviews(nodes: list[Selector], reviews: ReviewList, found: Page, url: str) -> Iterator[CriticReview]:
    for node in nodes:
        loader = CriticReviewLoader(selector=node, base_url=url)
        review: CriticReview = loader.apply(reviews.block.rules, found.tried).load_item()
        review.movie_slug = found.ref.slug
        review.key = critic_review_key(review)
        yield review


def load_user_reviews(nodes: list[Selector], reviews: ReviewList, found: Page) -> Iterator[UserReview]:
    for node in nodes:
        review: UserReview = UserReviewLoader(selector=node).apply(reviews.block.rules, found.tried).load_item()
        review.movie_slug = found.ref.slug
        account = bool(select(node, reviews.account)) if reviews.account else names_account(review.author)
        review.key = user_review_key(review, account=account)
        yield review


def find_next_page(page: Selector, rules: PageRules, found: Page) -> PageRef | None:
    """Tell the next page of a list: by the page's own link, or behind the last entry that it has."""
    ref = found.ref
    href = select(page, rules.next_page).get() if rules.next_page else None
    if ref.counts_entries:
        # Whatever was asked for: the back end may give fewer entries, and link on as if it had not.
        number = len(found.movies if rules.films else [*found.critic_reviews, *found.user_reviews])
        behind = ref.from_entry(ref.number + number)
        return behind if number and (href or behind.number < (found.total or 0)) else None
    if not href:
        return None
    try:
        following = parse(href, base=ref.url)
    except UrlError as error:
        raise LayoutError(f"its next page: {error}") from None
    # A saved page does not know its own number.
    if (following.kind, following.slug) != (ref.kind, ref.slug) or following.number <= ref.number:
        raise LayoutError(f"its next page is {following.url}")
    return following
