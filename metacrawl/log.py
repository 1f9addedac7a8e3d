"""What a site says, in the log: nothing in it acts on a terminal, or looks like a line of its own."""

import logging
import re
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.logformatter import LogFormatter
from scrapy.utils.log import get_scrapy_root_handler

from metacrawl.outcome import printable

LINE_BREAK = re.compile(r"\r?\n")


class SafeLog(LogFormatter):
    """Scrapy's own formatter; by the way, what Scrapy makes early for whatever command asks for pages."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the log safe before the first page comes, when Scrapy has set it up."""
        crawler.signals.connect(make_safe, signals.spider_opened)
        return super().from_crawler(crawler)


def make_safe() -> None:
    """Have all that is logged from now on made safe."""
    if handler := get_scrapy_root_handler():
        handler.addFilter(SafeLines())


class SafeLines(logging.Filter):
    """Makes one event one line, without control characters.

    Where it is the code that has written several lines, or a traceback, all but the first are indented.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record, for all handlers that come after."""
        try:
            several = "\n" in str(record.msg)
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - whatever an argument does, whoever logs must not fail
            # The handler tells of it, as it does of any message that does not fit its arguments.
            return True
        record.msg, record.args = lines(message) if several else printable(message), None
        if record.exc_info:
            record.exc_text = "    " + lines(logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = "    " + lines(record.stack_info)
        return True


def lines(text: str) -> str:
    r"""Make text of several lines safe; none but the first can look like the beginning of an event.

    >>> lines("Dumping stats:\n{'a': 1}")
    "Dumping stats:\n    {'a': 1}"
    """
    return "\n    ".join(map(printable, LINE_BREAK.split(text)))
