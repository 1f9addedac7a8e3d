"""What it says of a run that a page could not be had."""

from http import HTTPStatus

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest, ResponseDataLossError
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.statscollectors import StatsCollector

from metacrawl.extract import HostileError, LayoutError, StrangeError
from metacrawl.middlewares.retry_after import BUSY, outcome_of_refusal
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
    if bound_of(error):
        return Problem(Outcome.PARTIAL, f"{request.url}: {words(error)}")
    if isinstance(error, LayoutError):
        # A saved page may be anybody's; from the site comes what is the site's, or somebody is in the way.
        blocked = isinstance(error, StrangeError) and not request.url.startswith("file:")
        return Problem(Outcome.BLOCKED if blocked else Outcome.LAYOUT, f"{request.url}: {error}")
    return Problem(Outcome.SITE_DOWN, f"{request.url}: {words(error)}")


def words(error: BaseException | None) -> str:
    """Say what went wrong; Scrapy says nothing of some downloads."""
    if isinstance(error, ResponseDataLossError):
        return "cut off on its way"
    if isinstance(error, DownloadCancelledError):
        return str(error) or "larger than DOWNLOAD_MAXSIZE"
    return str(error) or type(error).__name__


def bound_of(error: BaseException | None) -> str:
    """Tell in a word of what an answer held too much; empty where it did not."""
    if isinstance(error, HostileError):
        return error.bound
    # Whoever unpacks what is too large ignores it.
    unpacked = isinstance(error, IgnoreRequest) and "DOWNLOAD_MAXSIZE" in str(error)
    return "size" if unpacked or isinstance(error, DownloadCancelledError) else ""


def count_refusal(stats: StatsCollector, error: BaseException | None) -> None:
    """Count an answer that held too much, as `metacrawl/refused/<of what>`."""
    if bound := bound_of(error):
        stats.inc_value(f"metacrawl/refused/{bound}")


def outcome_of(response: Response) -> Outcome:
    """Tell what an answer other than a page says of the site."""
    if response.status in REFUSED:
        return Outcome.BLOCKED
    if response.status in BUSY:
        return outcome_of_refusal(response)
    return Outcome.SITE_DOWN if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Outcome.PARTIAL
