"""What it says of a run that a page could not be had."""

from http import HTTPStatus

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from metacrawl.extract import LayoutError, StrangeError
from metacrawl.middlewares.retry_after import wait_of
from metacrawl.outcome import Outcome, Problem

# The site does not want us, or not without proof of who we are.
REFUSED = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
    }
)


def problem_of(request: Request, error: BaseException | None) -> Problem:
    """Name what went wrong with a download, or with what it brought."""
    if isinstance(error, HttpError):
        return Problem(outcome_of(error.response), f"{request.url}: HTTP {error.response.status}")
    if isinstance(error, IgnoreRequest):
        # What the robots.txt middleware says; others ignore requests too, such as one redirected without end.
        forbidden = "robots.txt" in str(error)
        return Problem(Outcome.ROBOTS if forbidden else Outcome.PARTIAL, f"{request.url}: {error}")
    if isinstance(error, LayoutError):
        # A saved page may be anybody's; from the site comes what is the site's, or somebody is in the way.
        blocked = isinstance(error, StrangeError) and not request.url.startswith("file:")
        return Problem(Outcome.BLOCKED if blocked else Outcome.LAYOUT, f"{request.url}: {error}")
    return Problem(Outcome.SITE_DOWN, f"{request.url}: {error}")


def outcome_of(response: Response) -> Outcome:
    """Tell what an answer other than a page says of the site."""
    if response.status in REFUSED:
        return Outcome.BLOCKED
    if wait_of(response) is not None:
        return Outcome.RATE_LIMITED
    return Outcome.SITE_DOWN if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Outcome.PARTIAL
