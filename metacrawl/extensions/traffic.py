"""Counts what went over the network, for the account of the run."""

from collections import Counter
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response

from metacrawl.frontier.run import run_of
from metacrawl.spiders.base import FilmSpider

REASONS = "retry/reason_count/"


class TrafficCounter:
    """Counts responses by their status, and retries by their reason, into the run's figures."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        crawler.signals.connect(self.count_response, signals.response_downloaded)
        crawler.signals.connect(self.count_retry, signals.request_reached_downloader)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension; raises `NotConfigured` for a spider of another make."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler)

    def count_response(self, response: Response) -> None:
        """Count a response, robots.txt among them."""
        run_of(self.crawler).ledger.figures.count("responses", str(response.status))

    def count_retry(self, request: Request) -> None:
        """Bring the retries up to date when one is under way: only Scrapy's own count has the reasons."""
        if request.meta.get("retry_times"):
            stats = self.crawler.stats.get_stats()
            reasons = {name.removeprefix(REASONS): int(n) for name, n in stats.items() if name.startswith(REASONS)}
            run_of(self.crawler).ledger.figures.counts["retries"] = Counter(reasons)
