"""What it says of a run that a page could not be had."""

from http import HTTPStatus

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError

from metacrawl.outcome import Outcome, Problem


def problem_of(request: Request, error: BaseException | None) -> Problem:
    """Name what went wrong with a download."""
    if isinstance(error, HttpError):
        status = error.response.status
        down = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return Problem(Outcome.SITE_DOWN if down else Outcome.PARTIAL, f"{request.url}: HTTP {status}")
    if isinstance(error, IgnoreRequest):
        # What the robots.txt middleware says; others ignore requests too, such as one redirected without end.
        forbidden = "robots.txt" in str(error)
        return Problem(Outcome.ROBOTS if forbidden else Outcome.PARTIAL, f"{request.url}: {error}")
    return Problem(Outcome.SITE_DOWN, f"{request.url}: {error}")
