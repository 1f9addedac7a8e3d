"""Where pages come from. A source makes the requests and reads the responses; spiders say which pages they want."""

from collections.abc import Iterable
from typing import Protocol

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import Page
from metacrawl.outcome import Problem
from metacrawl.urls import PageRef


class Source(Protocol):
    """One place that has pages of the site."""

    base_urls: list[str]
    """Where its pages are; none where each is somewhere else."""

    hosts: list[str]
    """The hosts that may be asked; none for no limit."""

    follows: bool
    """Whether pages lead to others; else there is only what `first_requests` leads to."""

    def first_requests(self, pages: Iterable[PageRef]) -> Iterable[Request]:
        """Make the requests that a crawl for these pages starts from."""

    def requests(self, pages: Iterable[PageRef]) -> Iterable[Request | Problem]:
        """Make the requests of pages that another one leads to, where the source `follows`."""

    def instead(self, request: Request) -> Iterable[Request]:
        """Make the requests of what can stand in for a page that could not be had."""

    def may_ask(self, url: str) -> bool:
        """Tell whether a URL may be asked for at all, whoever asks: nothing that is anywhere else is connected to."""

    def is_astray(self, request: Request) -> bool:
        """Tell whether a redirected request has come to another kind of page than it was made for."""

    def read(self, response: Response) -> Page | Iterable[Request | Problem]:
        """Extract a page, or tell where pages are to be had. Raises `metacrawl.extract.LayoutError`."""
