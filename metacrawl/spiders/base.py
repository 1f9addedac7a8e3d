"""What the spiders share: arguments and request flow."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, ClassVar, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from metacrawl.extract import LayoutError, Page
from metacrawl.items import Record
from metacrawl.outcome import Outcome
from metacrawl.sources import Source
from metacrawl.sources.files import FilesSource
from metacrawl.sources.site import SiteSource
from metacrawl.spiders.account import Account
from metacrawl.spiders.arguments import REVIEWS, Arguments, read_arguments
from metacrawl.urls import PageKind, PageRef

# In the order of dates a new review moves the list by one, so one is met twice; in that of votes any could slip past.
STEADY = (("sort-by", "date"), ("num_items", "100"))
# Saved pages need no politeness, and no network.
FILES_SETTINGS = {
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_HANDLERS": {
        "file": "scrapy.core.downloader.handlers.file.FileDownloadHandler",
        **dict.fromkeys(("data", "ftp", "http", "https", "s3")),
    },
}


def make_source(arguments: Arguments, settings: BaseSettings) -> Source:
    """Make the source that the arguments ask for. Raises `ConfigError`."""
    if arguments.source == "files":
        return FilesSource(arguments.path, arguments.captured_at)
    return SiteSource(settings["METACRAWL_SITE_URL"], settings["METACRAWL_CONTACT"])


class FilmSpider(Spider):
    """A spider that is asked for films and follows their pages."""

    takes: ClassVar[tuple[str, ...]] = ("movie", "source", "path", "limit", "captured_at")
    """The arguments that it takes."""

    first_page: ClassVar[PageKind]
    """The page of a film that it starts from."""

    first_query: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The order and so on in which it asks for that page."""

    lists: ClassVar[frozenset[PageKind]] = REVIEWS["all"]
    """The lists of reviews that it can read."""

    allowed_domains: list[str]

    def __init__(self, given: Mapping[str, str], arguments: Arguments, source: Source) -> None:
        super().__init__()
        self.given = given
        self.arguments = arguments
        self.reviews = arguments.reviews & self.lists
        self.source = source
        self.account = Account()
        self.films_met: set[str] = set()
        self.lists_met: dict[tuple[PageKind, str], set[str]] = {}

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
        source = make_source(arguments, crawler.settings)
        spider = super().from_crawler(crawler, given, arguments, source)
        spider.allowed_domains = source.hosts
        crawler.signals.connect(spider.drop, signals.request_dropped)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first page of each film."""
        films = self.arguments.movie[: self.arguments.limit]
        pages = [PageRef(self.first_page, film, self.first_query) for film in films]
        requests = [self.ask(request, asked_for=request.url) for request in self.source.first_requests(pages)]
        for request in requests:
            yield request

    def ask(self, request: Request, asked_for: str) -> Request:
        """Account for a request, and have its answer or its failure come here."""
        self.account.asked[asked_for] += 1
        return request.replace(callback=self.parse, errback=self.fail, cb_kwargs={"asked_for": asked_for})

    def parse(self, response: Response, asked_for: str = "") -> Iterator[Record | Request]:
        """Give the records of a page, and the requests of those that it leads to.

        `asked_for` is what the crawl was asked for that led here; `scrapy parse` has none.
        """
        try:
            page = self.source.read(response)
        except LayoutError as error:
            self.account.note(Outcome.LAYOUT, f"{response.url}: {error}")
        else:
            self.account.pages_read += 1
            if self.within_limit(page.ref.slug):
                yield from self.records(page)
                yield from (self.ask(request, asked_for) for request in self.source.requests(self.leads_to(page)))
        self.account.settle(asked_for)

    def drop(self, request: Request) -> None:
        """Account for a request that the scheduler drops: its page is read already, for another request."""
        if "asked_for" not in request.cb_kwargs:
            return
        if request.url in request.meta.get("redirect_urls", ()):
            self.account.note(Outcome.PARTIAL, f"{request.url}: redirected in a circle")
        elif self.source.is_astray(request):
            self.account.note(
                Outcome.LAYOUT, f"{request.url}: redirected here from a page of kind {request.meta['kind']}"
            )
        self.account.settle(request.cb_kwargs["asked_for"])

    def records(self, page: Page) -> Iterator[Record]:
        """Choose the records of a page that this spider wants; what it says of the film is always one."""
        yield page.movie
        if PageKind.CRITIC_REVIEWS in self.reviews:
            yield from page.critic_reviews
        if PageKind.USER_REVIEWS in self.reviews:
            yield from page.user_reviews

    def leads_to(self, page: Page) -> Iterator[PageRef]:
        """Choose the pages to read after this one."""
        if page.next_page is None:
            self.lists_met.pop((page.ref.kind, page.ref.slug), None)
        elif self.goes_on(page):
            yield page.next_page

    def goes_on(self, page: Page) -> bool:
        """Tell whether a page of a list had a review that those before it had not; a list without end has none."""
        met = self.lists_met.setdefault((page.ref.kind, page.ref.slug), set())
        reviews = {review.key for review in (*page.critic_reviews, *page.user_reviews)}
        if reviews <= met:
            self.account.note(
                Outcome.LAYOUT, f"{page.ref.url}: the list goes on, but this page has nothing that is new in it"
            )
            return False
        met |= reviews
        return True

    def within_limit(self, film: str) -> bool:
        """Tell whether a film is among the first `limit` that were met: a saved page names its film only when read."""
        if self.arguments.limit is None:
            return True
        if len(self.films_met) < self.arguments.limit:
            self.films_met.add(film)
        return film in self.films_met

    def fail(self, failure: Failure) -> None:
        """Account for a page that could not be had."""
        request: Request = failure.request  # type: ignore[attr-defined] # Scrapy puts it there
        self.account.note_failure(request, failure)
        self.account.settle(request.cb_kwargs["asked_for"])


def film_spider(crawler: Crawler) -> FilmSpider:
    """Give the spider of a crawl that has one of ours."""
    if not isinstance(crawler.spider, FilmSpider):
        raise TypeError(f"{crawler.spider} is none of metacrawl's spiders")
    return crawler.spider
