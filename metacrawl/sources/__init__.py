"""Where pages come from. A source makes the requests and reads the responses; spiders say which pages they want."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import Page
from metacrawl.urls import PageRef


class Source(Protocol):
    """One place that has pages of the site."""

    hosts: list[str]
    """The hosts that may be asked; none for no limit."""

    def first_requests(self, pages: Iterable[PageRef]) -> Iterator[Request]:
        """Make the requests that a crawl for these pages starts from."""

    def request(self, page: PageRef) -> Request | None:
        """Make the request of a page that another one leads to; none where this source has only what it was given."""

    def is_astray(self, request: Request) -> bool:
        """Tell whether a redirected request has come to another kind of page than it was made for."""

    def read(self, response: Response) -> Page:
        """Extract a page. Raises `metacrawl.extract.LayoutError`."""
