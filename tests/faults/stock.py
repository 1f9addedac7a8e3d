"""The control: what Scrapy does by itself about being killed, with its own scheduler, JOBDIR and feed.

`python -m tests.faults.stock` follows the links that the spider of films follows, and shares no flow with it.
"""

import argparse
import datetime as dt
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from metacrawl.extract import extract
from metacrawl.keys import plain_key
from metacrawl.urls import SITE, PageKind, PageRef

NEWEST_FIRST = (("sort-by", "date"), ("num_items", "100"))


class StockSpider(Spider):
    """Films, their details and reviews."""

    name = "stock"

    def __init__(self, films: Path, site: str) -> None:
        super().__init__()
        self.films, self.site = films, site

    async def start(self) -> AsyncIterator[Request]:
        """Ask for each film."""
        for slug in self.films.read_text("utf-8").splitlines():
            yield self.ask(PageRef(PageKind.MOVIE, slug))

    def ask(self, page: PageRef) -> Request:
        return Request(self.site + page.path)

    def parse(self, response: Response) -> Iterator[dict[str, Any] | Request]:
        """Give the records of a page, and follow it."""
        page = extract(response.body, dt.datetime.now(dt.UTC), url=SITE + response.url.removeprefix(self.site))
        for record in page.records:
            yield {**msgspec.to_builtins(record), "kind": type(record).__name__, "key": plain_key(record)}
        if page.ref.kind is PageKind.MOVIE:
            yield self.ask(PageRef(PageKind.DETAILS, page.ref.slug))
            yield self.ask(PageRef(PageKind.CRITIC_REVIEWS, page.ref.slug))
            yield self.ask(PageRef(PageKind.USER_REVIEWS, page.ref.slug, NEWEST_FIRST))
        if page.next_page:
            yield self.ask(page.next_page)


def main() -> int:
    parser = argparse.ArgumentParser(description="Crawl with Scrapy's own scheduler, JOBDIR and feed.")
    parser.add_argument("--site", required=True)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--feed", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    given = parser.parse_args()
    process = CrawlerProcess(
        {
            "JOBDIR": str(given.job),
            "FEEDS": {given.feed: {"format": "jsonlines", "encoding": "utf-8"}},
            "CONCURRENT_REQUESTS_PER_DOMAIN": given.concurrency,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": True,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "LOG_LEVEL": "INFO",
        }
    )
    crawler = process.create_crawler(StockSpider)
    process.crawl(crawler, films=given.films, site=given.site)
    process.start()
    # In the words of metacrawl's last line, so that one reader reads both.
    reason = crawler.stats.get_value("finish_reason")
    items = crawler.stats.get_value("item_scraped_count", 0)
    sys.stdout.write(f"{'complete' if reason == 'finished' else reason}: {items} items\n")
    return int(process.bootstrap_failed)


if __name__ == "__main__":
    sys.exit(main())
