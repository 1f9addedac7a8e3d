"""A page's bytes → its records. Pure: no engine, no network, no clock."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from parsel import Selector, SelectorList
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.keys import critic_review_key, user_review_key
from metacrawl.layouts import identify
from metacrawl.layouts.rules import CANONICAL, PageRules, ReviewList, Rules
from metacrawl.loaders import (
    CreditLoader,
    CriticReviewLoader,
    MovieLoader,
    RankingLoader,
    RecordLoader,
    TextSelector,
    UserReviewLoader,
)
from metacrawl.urls import FILM_KINDS, SITE, PageKind, PageRef, UrlError, parse, unarchived

# Behind the end mark a page may have a few more scripts and comments.
LAST_WORDS = 20_000
# What Python can decode and pages are written in: Python also knows rot13, zip and the like, which raise.
PAGE_ENCODING = re.compile(r"(utf|cp|windows|iso|latin|koi|mac|gb|big5|euc|shift|hz|tis|ascii|us).*", re.IGNORECASE)

LIST_LOADERS: dict[str, type[RecordLoader]] = {
    "directors": CreditLoader,
    "writers": CreditLoader,
    "cast": CreditLoader,
    "rankings": RankingLoader,
}


class LayoutError(ValueError):
    """The page cannot be read: no known design, cut off, or without what its kind always has."""


@dataclass
class Page:
    """What one page gives."""

    ref: PageRef
    movie: Movie
    critic_reviews: list[CriticReview] = field(default_factory=list)
    user_reviews: list[UserReview] = field(default_factory=list)
    next_page: PageRef | None = None

    @property
    def records(self) -> Iterator[Record]:
        """All records of the page, the film first."""
        yield self.movie
        yield from self.critic_reviews
        yield from self.user_reviews


def extract(
    body: bytes, captured_at: dt.datetime, *, url: str = "", saved_as: str = "", content_type: str = ""
) -> Page:
    """Read the records of a film's page.

    `captured_at` is when the site showed the page. `url` is the site's own URL of it (not an archive's, a mirror's or a
    file's); without one the page must name itself by its canonical link, else it is taken for `saved_as`.
    `content_type` is the HTTP header's value, where there was one.

    Raises `LayoutError` for anything but a whole page of a film in a known design; it tells what is wrong, not where:
    the caller knows the page's address.
    """
    text = decode(body, content_type)
    page = TextSelector(text=text, type="html")
    ref, url = page_ref(page, url, saved_as)
    known = identify(page)
    if known is None:
        raise LayoutError("no known page design: is it a page of Metacritic's?")
    layout, kind, rules = known
    where = f"{kind} page of layout {layout.name}"
    if kind != ref.kind:
        raise LayoutError(f"{where}: expected a page of kind {ref.kind}")
    if layout.end not in text[-LAST_WORDS:].lower():
        raise LayoutError(f"{where}: cut off, no {layout.end} at its end")
    found = Page(ref, load_movie(page, rules, ref.slug, url), next_page=find_next_page(page, rules, ref, where))
    for name in rules.required:
        if getattr(found.movie, name) is None:
            raise LayoutError(f"{where}: without its {name}")
    if rules.critic_reviews:
        found.critic_reviews = list(load_critic_reviews(page, rules.critic_reviews, ref.slug, url, where))
    if rules.user_reviews:
        found.user_reviews = list(load_user_reviews(page, rules.user_reviews, ref.slug, where))
    for record in found.records:
        record.layout, record.source_url, record.captured_at = layout.name, url, captured_at
    return found


def decode(body: bytes, content_type: str = "") -> str:
    """Decode a page as browsers do: byte order mark, HTTP header, `<meta>`, else UTF-8.

    Pages saved on old machines say UTF-8, or nothing, and are cp1252: nearly all they have beyond ASCII is then wrong.
    """
    bom_encoding, bom = read_bom(body)
    encoding = bom_encoding or http_content_type_encoding(content_type) or html_body_declared_encoding(body) or ""
    if not PAGE_ENCODING.fullmatch(encoding):
        encoding = "utf-8"
    text = body.removeprefix(bom or b"").decode(encoding, "replace")
    wrong = text.count("\ufffd")
    if wrong and wrong > sum(not char.isascii() for char in text) / 2:
        return body.decode("cp1252", "replace")
    return text


def page_ref(page: Selector, url: str, saved_as: str) -> tuple[PageRef, str]:
    """Tell which page this is, and the URL to record for it.

    The slug is the one by which the page names itself: a renamed film's old URL shows the film under its new one.
    """
    canonical = page.xpath(CANONICAL).get() or ""
    asked = url or (canonical and urljoin(SITE, unarchived(canonical))) or saved_as
    if not asked:
        raise LayoutError("no canonical link and no telling file name: which page is it?")
    try:
        ref = parse(asked)
    except UrlError as error:
        raise LayoutError(str(error)) from None
    try:
        named = parse(canonical) if canonical else ref
    except UrlError:
        named = ref
    if named.kind not in FILM_KINDS:
        raise LayoutError(f"no page of a film, but {asked} ({named.kind})")
    return PageRef(ref.kind, named.slug, ref.query), asked


def blocks(page: Selector, reviews: ReviewList, what: str, where: str) -> SelectorList[Selector]:
    """Find the blocks of one kind of review; none only where the page says that there are none."""
    found = page.xpath(reviews.container).xpath(reviews.block.at)
    if not found and not page.xpath(reviews.empty):
        raise LayoutError(f"{where}: neither {what} reviews nor a word that there are none")
    return found


def load_movie(page: Selector, rules: PageRules, slug: str, url: str) -> Movie:
    loader = MovieLoader(selector=page, base_url=url)
    for block in rules.movie:
        apply(block.rules, loader.nested_xpath(block.at))
    for name, block in rules.lists.items():
        entries = [LIST_LOADERS[name](selector=node) for node in page.xpath(block.at)]
        loader.add_value(name, [apply(block.rules, entry).load_item() for entry in entries])
    movie: Movie = loader.load_item()
    movie.key = movie.slug = slug
    movie.url = PageRef(PageKind.MOVIE, slug).url
    return movie


def load_critic_reviews(page: Selector, reviews: ReviewList, slug: str, url: str, where: str) -> Iterator[CriticReview]:
    for node in blocks(page, reviews, "critic", where):
        review: CriticReview = apply(reviews.block.rules, CriticReviewLoader(selector=node, base_url=url)).load_item()
        review.movie_slug = slug
        review.key = critic_review_key(review)
        yield review


def load_user_reviews(page: Selector, reviews: ReviewList, slug: str, where: str) -> Iterator[UserReview]:
    for node in blocks(page, reviews, "user", where):
        review: UserReview = apply(reviews.block.rules, UserReviewLoader(selector=node)).load_item()
        review.movie_slug = slug
        review.key = user_review_key(review, account=bool(node.xpath(reviews.account)))
        yield review


def apply(rules: Rules, loader: RecordLoader) -> RecordLoader:
    """Add what each rule selects to the loader; of several expressions the first that gives a value."""
    for name, expressions in rules.items():
        for expression in (expressions,) if isinstance(expressions, str) else expressions:
            loader.add_xpath(name, expression)
            if any(loader.get_collected_values(name)):
                break
    return loader


def find_next_page(page: Selector, rules: PageRules, ref: PageRef, where: str) -> PageRef | None:
    """Follow the page's own link to the next one of its list, if there is one."""
    href = page.xpath(rules.next_page).get() if rules.next_page else None
    if href is None:
        return None
    try:
        following = parse(href, base=ref.url)
    except UrlError as error:
        raise LayoutError(f"{where}: its next page: {error}") from None
    # A saved page does not know its own number.
    if (following.kind, following.slug) != (ref.kind, ref.slug) or following.number <= ref.number:
        raise LayoutError(f"{where}: its next page is {following.url}")
    return following
