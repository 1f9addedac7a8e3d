"""Has the monitors look at a run when it has ended."""

import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from spidermon import MonitorRunner

from metacrawl.frontier.run import run_of
from metacrawl.monitors import make_suite
from metacrawl.notify import reasons, runbook
from metacrawl.outcome import Outcome
from metacrawl.spiders.base import FilmSpider

logger = logging.getLogger(__name__)

# Whoever stops a run knows, and the process has to end.
STOPPED = {Outcome.INTERRUPTED.name, Outcome.TERMINATED.name}


class Monitoring:
    """Runs Spidermon's suite when the engine has stopped: the outcome is known, and the database is closed.

    Spidermon's own extension does the same with some thirty lines of log.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.suite = make_suite(crawler.settings)
        crawler.signals.connect(self.watch, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension; raises `NotConfigured` for a spider of another make."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler)

    def watch(self) -> None:
        """Run the monitors, and log those that fail; nothing of that changes how the run ended."""
        name, message = (self.crawler.stats.get_value(f"metacrawl/{what}") for what in ("outcome", "message"))
        closed = run_of(self.crawler).closed
        if name is None or name in STOPPED or (closed and not closed.first):
            return
        outcome = Outcome[name]
        account = {"outcome": outcome.label, "exit_code": outcome.value, "message": message}
        if closed:
            account = closed.account
        result = MonitorRunner().run(self.suite, account=account, earlier=closed.earlier if closed else [])
        for monitor, reason in reasons(result).items():
            logger.warning("Monitor %s: %s (%s)", monitor, reason, runbook(monitor))
