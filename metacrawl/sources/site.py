"""Pages from the site itself, or from a mirror of it."""

import datetime as dt
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import LayoutError, Page, extract
from metacrawl.outcome import ConfigError
from metacrawl.urls import SITE, PageRef

THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class SiteSource:
    """The site at `base_url`.

    Raises `ConfigError` for a `base_url` that is none, and for a public one without a `contact`: who runs the site must
    be able to tell who crawls it.
    """

    def __init__(self, base_url: str, contact: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.origin = urlsplit(self.base_url)
        if self.origin.scheme not in {"http", "https"} or not self.origin.hostname:
            raise ConfigError(f"METACRAWL_SITE_URL={base_url} is no URL of a site")
        if self.origin.hostname not in THIS_MACHINE and not contact:
            raise ConfigError(
                f"METACRAWL_CONTACT is not set: {self.origin.hostname} must be able to see who crawls it; "
                "set it to a URL or an e-mail address of yours"
            )

    def first_requests(self, pages: Iterable[PageRef]) -> Iterator[Request]:
        """Make the requests that a crawl for these pages starts from."""
        return map(self.request, pages)

    def request(self, page: PageRef) -> Request:
        """Make the request of a page."""
        return Request(self.base_url + page.path)

    def read(self, response: Response) -> Page:
        """Extract a page that was fetched just now; its records bear the site's own URL.

        Raises `metacrawl.extract.LayoutError`.
        """
        if urlsplit(response.url)[:2] != self.origin[:2]:
            raise LayoutError(f"redirected away from {self.base_url}")
        return extract(
            response.body,
            dt.datetime.now(dt.UTC),
            url=SITE + response.url.removeprefix(self.base_url),
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
        )
