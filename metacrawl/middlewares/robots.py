"""robots.txt: read before anything else of a server, and obeyed; where it cannot be read, nothing is asked for."""

import asyncio
import logging
import time
from collections import defaultdict
from http import HTTPStatus
from typing import ClassVar, NamedTuple, NoReturn, Self, cast

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.robotstxt import RobotParser
from scrapy.utils.misc import load_object
from sqlalchemy.exc import SQLAlchemyError

from metacrawl.frontier.failures import outcome_of
from metacrawl.frontier.quiet import LeftError, Quiet, host_of
from metacrawl.frontier.run import Run
from metacrawl.middlewares.retry_after import BUSY, MOST
from metacrawl.outcome import Outcome, Problem, told
from metacrawl.sources.robots import robots_request, robots_url

logger = logging.getLogger(__name__)

# Seconds after which it is read again.
DAY = 86_400.0
# What no other try would change: it leads off the site or round in circles, or is larger than a page may be.
FINAL = (IgnoreRequest, DownloadCancelledError)

Answer = Response | Exception


class Rules(NamedTuple):
    """What a server's robots.txt says, and when it was read, by this process's clock."""

    parser: RobotParser
    read_at: float


class RobotsMiddleware:
    """Lets a request pass that the robots.txt of its server allows; ends the run where that cannot be read.

    Scrapy's own asks for everything then. Must stand outside of all that waits: robots.txt waits for its host, too.
    """

    WAITS: ClassVar[tuple[float, ...]] = (5.0, 10.0, 20.0)
    """Seconds before it is asked for again where the server fails."""

    def __init__(self, crawler: Crawler, run: Run | None) -> None:
        self.crawler, self.run = crawler, run
        self.quiet = run.quiet if run else Quiet()
        self.agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        self.parse = load_object(crawler.settings["ROBOTSTXT_PARSER"]).from_crawler
        self.waits = self.WAITS if crawler.settings.getbool("RETRY_ENABLED") else ()
        self.rules: dict[str, Rules] = {}
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raises `NotConfigured` where robots.txt is not to be obeyed."""
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        return cls(crawler, crawler.get_extension(Run))

    async def process_request(self, request: Request) -> None:
        """Let a request pass. Raises `IgnoreRequest` for one that is forbidden, `LeftError` where the run ends."""
        if request.meta.get("dont_obey_robotstxt") or request.url.startswith("file:"):
            return
        parser = await self.parser_for(request)
        if not parser.allowed(request.url, self.agent):
            raise IgnoreRequest("Forbidden by robots.txt")

    async def parser_for(self, request: Request) -> RobotParser:
        """Give the rules of a request's server: its scheme, host and port."""
        url = robots_url(request)
        async with self.locks[url]:
            rules = self.rules.get(url)
            if rules is None or time.monotonic() - rules.read_at > DAY:
                self.rules[url] = rules = Rules(await self.read(host_of(request), url), time.monotonic())
        return rules.parser

    async def read(self, host: str, url: str) -> RobotParser:
        """Ask for robots.txt, several times if need be, and obey the delay that it asks for."""
        answer = await self.ask(url)
        for wait in self.waits:
            if not may_pass(answer):
                break
            logger.warning("%s: %s; asked for again in %d s", url, said(answer), wait)
            await self.quiet.pause(wait)
            answer = await self.ask(url)
        if outcome := outcome_without(answer):
            self.end(Problem(outcome, f"{url}: {said(answer)}; without it nothing is asked for"))
        rules = answer.body if isinstance(answer, Response) and is_success(answer) else b""
        parser = cast("RobotParser", self.parse(self.crawler, rules))
        self.slow_down(host, url, parser.crawl_delay(self.agent) or 0.0)
        return parser

    async def ask(self, url: str) -> Answer:
        """Ask for robots.txt once."""
        try:
            return await self.crawler.engine.download_async(robots_request(url))
        except (LeftError, SQLAlchemyError):
            # Neither says anything of the server.
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, there are no rules to go by
            return error

    def slow_down(self, host: str, url: str, delay: float) -> None:
        """Obey a delay; one that is longer than a run waits ends it."""
        if delay > MOST:
            self.end(Problem(Outcome.ROBOTS, f"{url}: wants {delay:g} s between requests, more than {MOST:g} s"))
        self.quiet.delays[host] = max(self.quiet.delays.get(host, 0.0), delay)

    def end(self, problem: Problem) -> NoReturn:
        """End the run, which stays open; without one give up the request alone."""
        if self.run is None:
            raise IgnoreRequest(problem.message)
        self.run.halt(problem)
        raise LeftError("the crawl ends")


def may_pass(answer: Answer) -> bool:
    """Tell whether an answer is a failure that may be over soon; a busy server has been asked often enough."""
    if isinstance(answer, Exception):
        return not isinstance(answer, FINAL)
    return answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and answer.status not in BUSY


def outcome_without(answer: Answer) -> Outcome | None:
    """Tell what an answer that gives no rules to go by says of the server; none where it does, or says there are none.

    As in RFC 9309, all may be asked for where there is no robots.txt (404 and the like), nothing where the server
    fails. Whoever refuses even that (401, 403) does not want us, which the RFC leaves open. A page in its place has no
    rules in it.
    """
    if isinstance(answer, Exception):
        return Outcome.ROBOTS if isinstance(answer, FINAL) else Outcome.SITE_DOWN
    if answer.status < HTTPStatus.BAD_REQUEST:
        return None if is_success(answer) else Outcome.ROBOTS
    outcome = outcome_of(answer)
    return None if outcome is Outcome.PARTIAL else outcome


def is_success(answer: Response) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def said(answer: Answer) -> str:
    return told(answer) if isinstance(answer, Exception) else f"HTTP {answer.status}"
