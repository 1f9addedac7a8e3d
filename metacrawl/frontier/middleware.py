"""Between the engine and the spider: a page is done when all that came of it is stored."""

from collections.abc import AsyncIterator
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured
from scrapy.http import Response
from twisted.python.failure import Failure

from metacrawl.authors import LeftOut
from metacrawl.completeness import Total
from metacrawl.extract import LayoutError
from metacrawl.frontier.page import Page, page_of
from metacrawl.frontier.payload import encode
from metacrawl.frontier.queue import Row
from metacrawl.frontier.run import FAILED, run_of
from metacrawl.frontier.watch import Watch
from metacrawl.items import Record
from metacrawl.outcome import Outcome, Problem, told
from metacrawl.pipelines.validate import UnusableError
from metacrawl.spiders.base import FilmSpider

# What spiders give beside records.
Beside = Request | Problem | Total | LeftOut


class FrontierMiddleware:
    """Feeds the crawl from the frontier, and has it acknowledge each page.

    Must stand outermost: what it has seen is what counts.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = run_of(crawler)
        self.watch = Watch(self.run)
        crawler.signals.connect(self.item_scraped, signals.item_scraped)
        crawler.signals.connect(self.item_dropped, signals.item_dropped)
        crawler.signals.connect(self.item_error, signals.item_error)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raises `NotConfigured` for a spider of another make."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Request]) -> AsyncIterator[Request]:
        """Put what the spider starts from into the frontier, once a run; then give what is leased.

        While this goes on Scrapy does not take the spider for idle.
        """
        if not self.run.id:
            raise CloseSpider(FAILED)
        if not self.run.seeded:
            await self.run.ledger.seed(self.seeds(start))
        async for request in self.run.ledger.requests():
            yield request

    async def seeds(self, start: AsyncIterator[Request]) -> AsyncIterator[Row]:
        async for request in start:
            yield Row(self.run.key_of(request), request.url, request.url, request.priority, encode(request))

    async def process_spider_output(
        self, response: Response, result: AsyncIterator[Record | Beside]
    ) -> AsyncIterator[Record]:
        """Pass records on to the pipelines, and end only when the page is stored with all of them, or held."""
        page = page_of_response(response)
        unexpected = None
        try:
            async for output in result:
                if isinstance(output, Record):
                    page.expect()
                    yield output
                else:
                    self.take(page, output)
        except CloseSpider:
            # The page is not to blame; it is given back when the spider is closed.
            raise
        except LayoutError as error:
            self.watch.unread(page, response, error)
        except Exception as error:  # noqa: BLE001 - Scrapy is told, too, when the page is settled
            page.fail(Problem(Outcome.INTERNAL, f"{response.url}: {told(error)}"))
            unexpected = error
        await page.all_in.wait()
        if not page.dead:
            self.run.streaks.answered()
        await self.watch.settle(page, response)
        if unexpected:
            raise unexpected

    def take(self, page: Page, output: Beside) -> None:
        """Take in what a page brings beside its records."""
        if isinstance(output, Request):
            self.follow(page, output)
        elif isinstance(output, Problem):
            page.note(output)
        elif isinstance(output, Total):
            page.totals.append(output)
        else:
            page.left_out.append(output)

    def follow(self, page: Page, request: Request) -> None:
        """Take in a request that a page leads to, unless a record of the page has failed."""
        if not page.dead:
            page.follow(request, self.run.key_of(request))

    def item_scraped(self, item: Record, response: Response) -> None:
        """Take a record that came through the pipelines."""
        page = page_of_response(response)
        page.records.append(item)
        page.arrived()

    def item_dropped(self, item: Record, exception: BaseException, response: Response) -> None:
        """Do without a record that a pipeline has dropped."""
        page = page_of_response(response)
        if isinstance(exception, UnusableError):
            page.note(Problem(Outcome.PARTIAL, str(exception)))
        else:
            page.repeated.append(item)
        page.arrived()

    def item_error(self, failure: Failure, response: Response) -> None:
        """Give up a page of which a record could not be processed."""
        page = page_of_response(response)
        page.fail(Problem(Outcome.INTERNAL, f"{response.url}: {told(failure.value)}"))
        page.arrived()


def page_of_response(response: Response | None) -> Page:
    """Give the page that a response is for. Raises `ValueError` for one that is none of the frontier's."""
    page = page_of(response.request) if response and response.request else None
    if page is None:
        raise ValueError(f"{response} is not for a request of the frontier")
    return page
