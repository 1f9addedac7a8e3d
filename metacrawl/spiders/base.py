"""What the spiders share: arguments and request flow."""

import hashlib
import os
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.settings import BaseSettings

from metacrawl.authors import Authors, Forgotten, LeftOut, read_authors
from metacrawl.barriers import is_barrier
from metacrawl.completeness import Total
from metacrawl.extract import Page
from metacrawl.items import Record
from metacrawl.keys import identity
from metacrawl.outcome import ConfigError, Outcome, Problem
from metacrawl.sources import Source
from metacrawl.sources.archive import ArchiveSource
from metacrawl.sources.files import FilesSource
from metacrawl.sources.site import SiteSource
from metacrawl.spiders.arguments import INTERNAL, REVIEWS, Arguments, read_arguments
from metacrawl.urls import LISTING_KINDS, PageKind, PageRef

# The signal of a page that could be read, sent before anything of it is given: `page`, `response`.
page_read = object()
# The lists that are being read; a film's pages are read close together.
LISTS_MET = 100
# Saved pages need no politeness, and no network.
FILES_SETTINGS = {
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_HANDLERS": {
        "file": "metacrawl.sources.handler.SavedPageHandler",
        **dict.fromkeys(("data", "ftp", "http", "https", "s3")),
    },
}


def make_source(arguments: Arguments, settings: BaseSettings, kinds: Collection[PageKind]) -> Source:
    """Make the source that the arguments ask for, of films and the `kinds` of page beside. Raises `ConfigError`."""
    contact = settings["METACRAWL_CONTACT"]
    if arguments.source == "files":
        return FilesSource(arguments.path, arguments.captured_at, settings.getint("DOWNLOAD_MAXSIZE"))
    if arguments.at:
        return ArchiveSource(settings["METACRAWL_ARCHIVE_URL"], contact, arguments.at, kinds)
    site = SiteSource(settings["METACRAWL_SITE_URL"], settings["METACRAWL_API_URL"], contact)
    if not (arguments.movie or site.api):
        raise ConfigError("METACRAWL_API_URL is not set: the lists of films are at the back end of a site")
    return site


def job_of(spider: str, arguments: Arguments, source: Source) -> str:
    """Tell jobs apart: the same spider, asked for the same films on the same site, has the same."""
    asked = [spider, source.base_urls, replace(arguments, fresh=False)]
    what = msgspec.json.encode(asked, enc_hook=plain, order="deterministic")
    return hashlib.sha256(what).hexdigest()


def plain(value: object) -> str | bytes:
    """Write what JSON has no form for: of a file's name the bytes, for they need be no text."""
    return os.fsencode(value) if isinstance(value, Path) else str(value)


class FilmSpider(Spider):
    """A spider that is asked for films and follows their pages."""

    takes: ClassVar[tuple[str, ...]] = (
        *("movie", "browse", "year", "genre", "source", "at", "path"),
        *("captured_at", "limit", "update", "fresh"),
    )
    """The arguments that it takes."""

    first_page: ClassVar[PageKind]
    """The page of a film that it starts from."""

    first_query: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The order and so on in which it asks for that page."""

    lists: ClassVar[frozenset[PageKind]] = REVIEWS["all"]
    """The lists of reviews that it can read."""

    allowed_domains: list[str]

    def __init__(self, given: Mapping[str, str], arguments: Arguments, source: Source, job: str) -> None:
        super().__init__()
        self.given = {name: value for name, value in given.items() if name not in INTERNAL}
        self.job_id = given.get("_job", "")
        self.joins = given.get("_join", "")
        self.arguments = arguments
        self.reviews = self.wanted(arguments)
        self.source = source
        self.job = job
        self.authors = Authors()
        self.forgotten = Forgotten()
        self.films_met: set[str] = set()
        self.lists_met: dict[PageRef, dict[str, set[tuple[object, ...]]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_args: Any, **given: str) -> Self:
        """Make the spider from what a person gave it. Raises `ConfigError`."""
        arguments = read_arguments(given, cls.takes)
        if arguments.source == "files":
            for name, value in FILES_SETTINGS.items():
                crawler.settings.set(name, value, priority="spider")
        if contact := crawler.settings["METACRAWL_CONTACT"]:
            agent = f"{crawler.settings['USER_AGENT']} (+{contact})"
            crawler.settings.set("USER_AGENT", agent, priority="spider")
        source = make_source(arguments, crawler.settings, cls.beside(arguments))
        job = job_of(cls.name, arguments, source)
        spider = super().from_crawler(crawler, given, arguments, source, job)
        spider.allowed_domains = source.hosts
        spider.authors = read_authors(crawler.settings)
        return spider

    @classmethod
    def wanted(cls, arguments: Arguments) -> frozenset[PageKind]:
        """Tell the lists of reviews that are asked for and that it can read."""
        return arguments.reviews & cls.lists

    @classmethod
    def beside(cls, arguments: Arguments) -> frozenset[PageKind]:
        """Tell the kinds of page that it reads beside the one that it starts from."""
        return cls.wanted(arguments) - {cls.first_page}

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first page of each film, or for the list that names them."""
        films = self.arguments.movie[: self.arguments.limit]
        pages = self.first_pages(films) if films else [self.arguments.listing]
        for request in self.source.first_requests(pages):
            yield request

    def first_pages(self, films: Iterable[str]) -> list[PageRef]:
        """Give the page that each film is read from first."""
        return [PageRef(self.first_page, film, self.first_query) for film in films]

    def parse(self, response: Response) -> Iterator[Record | Request | Problem | Total | LeftOut]:
        """Give the records of a page, the requests of those that it leads to, and what is wrong with it.

        Raises `LayoutError` for a page that cannot be read.
        """
        page = self.source.read(response)
        if not isinstance(page, Page):
            yield from page
            return
        self.authors.hide(page)
        self.crawler.signals.send_catch_log(page_read, page=page, response=response)
        yield from (Problem(Outcome.LAYOUT, f"{page.ref.url}: {what}") for what in page.lacks)
        if page.ref.kind in LISTING_KINDS:
            yield from self.list_films(page, response.meta.get("met", ()))
        elif self.within_limit(page.ref.slug):
            yield from self.records(page)
            yield from (total for total in page.totals if total.reviews in self.reviews)
            if self.source.follows:
                yield from self.follow(page)

    def follow(self, page: Page) -> Iterator[Request | Problem]:
        """Ask for the pages that a film's page leads to."""
        leads_to = list(self.leads_to(page))
        yield from self.source.requests(leads_to)
        if page.next_page and page.next_page not in leads_to:
            yield Problem(
                Outcome.LAYOUT, f"{page.ref.url}: the list goes on, but this page has nothing that is new in it"
            )

    def list_films(self, page: Page, met: Sequence[str]) -> Iterator[Record | Request | Problem]:
        """Go from a page of a listing to its films, and to its next page.

        `met` are the films that the pages before it have led to: those of a list that moves overlap. They go along with
        the request, so that a crawl that goes on knows them.
        """
        known = set(met)
        news = list({movie.slug: movie for movie in page.movies if movie.slug not in known}.values())
        if self.arguments.limit is not None:
            news = news[: self.arguments.limit - len(met)]
        yield from news
        if not self.source.follows:
            return
        yield from self.source.first_requests(self.first_pages(movie.slug for movie in news))
        met = [*met, *(movie.slug for movie in news)]
        if page.next_page and not news:
            yield Problem(Outcome.LAYOUT, f"{page.ref.url}: the list goes on, but this page has no film that is new")
        elif page.next_page and len(met) != self.arguments.limit:
            for request in self.source.first_requests([page.next_page]):
                yield request.replace(meta=request.meta | {"met": met})

    def instead(self, request: Request) -> Iterable[Request]:
        """Ask for what can stand in for a page that could not be had."""
        return self.source.instead(request)

    def problem_of_redirect(self, request: Request) -> Problem | None:
        """Tell what is wrong with where a page was redirected to, if anything is."""
        if request.url in request.meta.get("redirect_urls", ()):
            return Problem(Outcome.PARTIAL, f"{request.url}: redirected in a circle")
        if not self.source.is_astray(request):
            return None
        if is_barrier(request.url):
            asked_for = request.meta.get("redirect_urls", [request.url])[0]
            return Problem(Outcome.BLOCKED, f"{asked_for}: redirected to {request.url}")
        home = next(iter(self.source.base_urls))
        at_home = any(request.url.startswith(f"{url}/") for url in self.source.base_urls)
        says = (
            f"redirected here from a page of kind {request.meta['kind']}" if at_home else f"redirected away from {home}"
        )
        return Problem(Outcome.LAYOUT, f"{request.url}: {says}")

    def records(self, page: Page) -> Iterator[Record | LeftOut]:
        """Choose the records of a page that this spider wants; what it says of the film is always one."""
        yield from page.movies
        if PageKind.CRITIC_REVIEWS in self.reviews:
            yield from page.critic_reviews
        if PageKind.USER_REVIEWS in self.reviews:
            for review in page.user_reviews:
                left_out = self.forgotten.has(review.author)
                yield self.forgotten.left_out(review) if left_out else self.authors.published(review)

    def leads_to(self, page: Page) -> Iterator[PageRef]:
        """Choose the pages to read after this one: the whole lists of reviews, and the next page of a list."""
        if page.ref.kind is self.first_page:
            for kind, whole in page.layout.lists.items():
                if kind in self.reviews and whole.kind is not page.ref.kind:
                    yield PageRef(whole.kind, page.ref.slug, whole.query)
        if page.next_page is None:
            self.lists_met.pop(first_page_of(page.ref), None)
        elif self.has_news(page):
            yield page.next_page

    def has_news(self, page: Page) -> bool:
        """Tell whether a page of a list has a review that no other has; a list without end has none."""
        pages = self.lists_met.setdefault(first_page_of(page.ref), {})
        if len(self.lists_met) > LISTS_MET:
            # Its other pages were read by another process.
            self.lists_met.pop(next(iter(self.lists_met)))
        # By page: one that is read again, for its first reading was lost, has nothing new either.
        # Two reviews under one key are two.
        reviews = (*page.critic_reviews, *page.user_reviews)
        pages[page.ref.url] = {(review.key, identity(review)) for review in reviews}
        others = (reviews for url, reviews in pages.items() if url != page.ref.url)
        return bool(pages[page.ref.url].difference(*others))

    def within_limit(self, film: str) -> bool:
        """Tell whether a film is among the first `limit` that were met: a saved page names its film only when read.

        Of other sources no more films are asked for.
        """
        if self.arguments.limit is None or self.arguments.source != "files":
            return True
        if len(self.films_met) < self.arguments.limit:
            self.films_met.add(film)
        return film in self.films_met


def first_page_of(page: PageRef) -> PageRef:
    """Give the first page of a list in the same order."""
    return page.asked(dict(page.query) | {"offset": "0", "page": "0"})


def film_spider(crawler: Crawler) -> FilmSpider:
    """Give the spider of a crawl that has one of ours."""
    if not isinstance(crawler.spider, FilmSpider):
        raise TypeError(f"{crawler.spider} is none of metacrawl's spiders")
    return crawler.spider
