"""Nothing is asked for but what the spider's source may ask for, whoever made the request."""

from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest

from metacrawl.frontier.quiet import host_of
from metacrawl.resolver import REFUSED

if TYPE_CHECKING:
    from metacrawl.sources import Source


class OffsiteGuard:
    """Refuses what Scrapy's own guard lets pass: first requests, retries, robots.txt, other ports, proxies.

    Must stand outermost: robots.txt of a server that may not be asked need not be read either, and whatever is
    redirected or repeated comes through here again.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the guard."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Let a request pass. Raises `IgnoreRequest` for one that leads elsewhere."""
        source: Source | None = getattr(self.crawler.spider, "source", None)
        # `scrapy shell` and `scrapy fetch` have no source: they ask for what a person has typed.
        if source is None:
            return
        if not source.may_ask(request.url):
            raise IgnoreRequest(f"not asked for: it is not at {' or '.join(source.base_urls) or 'a named file'}")
        if "proxy" in request.meta:
            raise IgnoreRequest("not asked for: it would go through a proxy")

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Tell why a host could not be asked. Raises `IgnoreRequest` where its address was refused."""
        address = REFUSED.get(host_of(request))
        if address and isinstance(exception, CannotResolveHostError):
            raise IgnoreRequest(f"not asked for: its address is {address}, which is not a public one") from exception
