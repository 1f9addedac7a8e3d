"""Asking the site whether a page has changed, instead of for the page."""

import re
from http import HTTPStatus
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response

from metacrawl.frontier.memory import is_wanted_anew, recall
from metacrawl.frontier.page import page_of
from metacrawl.spiders.base import FilmSpider

# What the site tells a page's states apart by → the header that it comes back in.
ASKS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
# What can stand in a header; nobody's are longer.
PLAIN = re.compile(r"[!-~][ -~]{0,199}")


class ConditionalMiddleware:
    """Has a page that is still the same taken for read, unless each record is wanted anew."""

    def __init__(self, *, anew: bool) -> None:
        self.anew = anew

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raises `NotConfigured` for a spider of another make."""
        if not isinstance(crawler.spider, FilmSpider):
            raise NotConfigured
        return cls(anew=is_wanted_anew(crawler.spider, crawler.settings))

    def process_request(self, request: Request) -> None:
        """Put the question into the headers."""
        page = page_of(request)
        if page and page.memory and not self.anew:
            request.headers.update(page.memory.validators)

    def process_response(self, request: Request, response: Response) -> Response:
        """Take in the answer, or what to ask with the next time."""
        page = page_of(request)
        if page and response.status == HTTPStatus.OK:
            page.validators = validators_of(response)
        elif page and response.status == HTTPStatus.NOT_MODIFIED and page.memory and not self.anew:
            recall(page, page.memory)
        return response


def validators_of(response: Response) -> dict[str, str]:
    """Give the headers that ask whether a page is still the same; none where the site does not tell.

    >>> validators_of(Response("http://127.0.0.1", headers={"ETag": 'W/"a1"', "Last-Modified": ""}))
    {'If-None-Match': 'W/"a1"'}
    """
    said = {asks: (response.headers.get(tells) or b"").decode("latin-1") for tells, asks in ASKS.items()}
    return {asks: value for asks, value in said.items() if PLAIN.fullmatch(value)}
