"""The account of a crawl: what was asked for, what came of it, and what went wrong."""

import logging
from collections import Counter
from http import HTTPStatus

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from metacrawl.outcome import Outcome, Problems, printable

logger = logging.getLogger(__name__)


class Account:
    """Counts each thing that was asked for (a film, or a saved file) as done when all its pages have had an answer."""

    def __init__(self) -> None:
        self.problems = Problems()
        self.pages_read = 0
        # What was asked for → its pages still to come.
        self.asked: Counter[str] = Counter()
        self.done = 0

    @property
    def unanswered(self) -> list[str]:
        """What was asked for and not answered to the end."""
        return [asked_for for asked_for, open_pages in self.asked.items() if open_pages > 0]

    def settle(self, asked_for: str) -> None:
        """Note that a page has had its answer."""
        self.asked[asked_for] -= 1
        self.done += not self.asked[asked_for]

    def note(self, outcome: Outcome, message: str) -> None:
        """Note a problem, for the log and for the outcome of the run."""
        logger.error("%s", printable(message))
        self.problems.add(outcome, message)

    def note_failure(self, request: Request, failure: Failure) -> None:
        """Note a page that could not be had."""
        error = failure.value
        if isinstance(error, HttpError):
            status = error.response.status
            down = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            self.note(Outcome.SITE_DOWN if down else Outcome.PARTIAL, f"{request.url}: HTTP {status}")
        elif isinstance(error, IgnoreRequest):
            # What the robots.txt middleware says; others ignore requests too, such as one redirected without end.
            forbidden = "robots.txt" in str(error)
            self.note(Outcome.ROBOTS if forbidden else Outcome.PARTIAL, f"{request.url}: {error}")
        else:
            self.note(Outcome.SITE_DOWN, f"{request.url}: {error}")
