"""What each answer to the request for robots.txt means for the pages of its server."""

import asyncio
from types import SimpleNamespace

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response
from sqlalchemy.exc import OperationalError

from metacrawl.frontier.quiet import LeftError, Quiet
from metacrawl.middlewares import robots as module
from metacrawl.middlewares.robots import DAY
from metacrawl.outcome import Outcome
from tests.middlewares.quick import QuickRobots

SITE = "http://127.0.0.1:8000"
NOTHING = b"User-agent: *\nDisallow: /\n"


class Engine:
    """Gives these answers one after the other, the last one again and again."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def download_async(self, request):
        self.asked.append(request.url)
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Crawl:
    """The middleware in a crawl whose engine gives these answers."""

    def __init__(self, *answers, **settings):
        self.engine = Engine(*answers)
        values = {
            "ROBOTSTXT_USER_AGENT": "metacrawl",
            "ROBOTSTXT_PARSER": "scrapy.robotstxt.ProtegoRobotParser",
            "RETRY_ENABLED": True,
            **settings,
        }
        self.crawler = SimpleNamespace(settings=Values(values), engine=self.engine, spider=None)
        self.halted = []
        self.run = SimpleNamespace(quiet=Quiet(), halt=self.halted.append)
        self.middleware = QuickRobots(self.crawler, self.run)
        self.middleware.waits = (0.0,) * len(self.middleware.waits)

    def asks(self, *urls):
        """Ask for pages at the same time; gives what each ends with."""

        async def ask():
            requests = [Request(url if ":" in url else SITE + url) for url in urls]
            return await asyncio.gather(*map(self.middleware.process_request, requests), return_exceptions=True)

        return asyncio.run(ask())

    @property
    def outcomes(self):
        return [problem.outcome for problem in self.halted]


class Values(dict):
    def getbool(self, name):
        return self[name]


def answer(status, body=b"", **headers):
    return Response(f"{SITE}/robots.txt", status=status, body=body, headers=headers)


ALLOWING = {
    "not there": answer(404, NOTHING),
    "gone": answer(410, NOTHING),
    "empty": answer(200),
    "no content": answer(204),
    "a page": answer(200, b"<!DOCTYPE html><html><body><p>Welcome</p></body></html>"),
    "not text": answer(200, bytes(range(256)) * 4),
    "for others": answer(200, b"User-agent: googlebot\nDisallow: /\n"),
    "a delay that is none": answer(200, b"User-agent: *\nCrawl-delay: soon\n"),
}


@pytest.mark.parametrize("name", ALLOWING)
def test_where_there_are_no_rules_for_us_all_is_allowed(name):
    crawl = Crawl(ALLOWING[name])
    assert crawl.asks("/movie/her") == [None]
    assert crawl.halted == []


CLOSED = {
    "500": (answer(500), Outcome.SITE_DOWN, 4),
    "502": (answer(502), Outcome.SITE_DOWN, 4),
    "time-out": (DownloadTimeoutError("no"), Outcome.SITE_DOWN, 4),
    "any failure": (ValueError("no"), Outcome.SITE_DOWN, 4),
    # Those were asked again by the middleware for them.
    "503": (answer(503), Outcome.SITE_DOWN, 1),
    "503 with a time": (answer(503, **{"Retry-After": "5"}), Outcome.RATE_LIMITED, 1),
    "429": (answer(429), Outcome.RATE_LIMITED, 1),
    # What no other try would change.
    "401": (answer(401), Outcome.BLOCKED, 1),
    "403": (answer(403), Outcome.BLOCKED, 1),
    "a redirect to nowhere": (answer(302), Outcome.ROBOTS, 1),
    "a redirect off the site, or without end": (IgnoreRequest("no"), Outcome.ROBOTS, 1),
    "too large": (DownloadCancelledError("no"), Outcome.ROBOTS, 1),
    "a delay that no run waits": (answer(200, b"User-agent: *\nCrawl-delay: 901\n"), Outcome.ROBOTS, 1),
}


@pytest.mark.parametrize("name", CLOSED)
def test_where_they_cannot_be_read_the_run_ends_and_the_page_is_left(name):
    failure, outcome, tries = CLOSED[name]
    crawl = Crawl(failure)
    [ended] = crawl.asks("/movie/her")
    assert isinstance(ended, LeftError)
    assert crawl.outcomes == [outcome]
    assert crawl.halted[0].message.startswith(f"{SITE}/robots.txt: ")
    assert crawl.engine.asked == [f"{SITE}/robots.txt"] * tries


def test_without_a_run_the_page_is_given_up():
    crawl = Crawl(answer(500))
    crawl.middleware.run = None
    [ended] = crawl.asks("/movie/her")
    assert isinstance(ended, IgnoreRequest)
    assert not isinstance(ended, LeftError)
    assert "robots.txt: HTTP 500" in str(ended)


def test_a_failure_that_passes_ends_nothing():
    crawl = Crawl(answer(500), DownloadTimeoutError("no"), answer(200, b"User-agent: *\nDisallow: /search\n"))
    allowed, forbidden = crawl.asks("/movie/her", "/search/her")
    assert allowed is None
    assert isinstance(forbidden, IgnoreRequest)
    assert crawl.halted == []


def test_nothing_is_asked_for_again_where_that_is_switched_off():
    crawl = Crawl(answer(500), RETRY_ENABLED=False)
    crawl.middleware = QuickRobots(crawl.crawler, crawl.run)
    crawl.asks("/movie/her")
    assert len(crawl.engine.asked) == 1


@pytest.mark.parametrize("error", [LeftError("the crawl ends"), OperationalError("", {}, Exception())])
def test_what_says_nothing_of_the_server_is_passed_on(error):
    crawl = Crawl(error)
    assert crawl.asks("/movie/her") == [error]
    assert crawl.halted == []


def test_it_is_read_once_for_all_pages_of_a_server_and_for_each_server():
    crawl = Crawl(answer(404))
    others = ("https://127.0.0.1:8000/movie/her", "http://127.0.0.1:8001/movie/her")
    crawl.asks("/movie/her", "/movie/his?page=1", *others)
    crawl.asks("/movie/hers")
    assert sorted(crawl.engine.asked) == sorted(
        [f"{SITE}/robots.txt", "https://127.0.0.1:8000/robots.txt", "http://127.0.0.1:8001/robots.txt"]
    )


def test_it_is_read_again_after_a_day(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    crawl = Crawl(answer(404), answer(200, NOTHING))
    assert crawl.asks("/movie/her") == [None]
    now[0] += DAY
    assert crawl.asks("/movie/her") == [None]
    now[0] += 1
    assert isinstance(crawl.asks("/movie/her")[0], IgnoreRequest)


@pytest.mark.parametrize("url", ["file:///tmp/page.html", "/robots.txt"])
def test_what_has_none_or_is_it_is_not_asked_about(url):
    crawl = Crawl(answer(200, NOTHING))
    request = Request(SITE + url, meta={"dont_obey_robotstxt": True}) if url.startswith("/") else Request(url)
    asyncio.run(crawl.middleware.process_request(request))
    assert crawl.engine.asked == []


def test_rules_for_us_behind_two_megabytes_of_others_are_found():
    others = b"".join(b"User-agent: robot-%d\nDisallow: /%d/%s\n\n" % (n, n, b"x" * 2000) for n in range(1000))
    crawl = Crawl(answer(200, others + b"User-agent: metacrawl\nDisallow: /movie/\n"))
    assert [type(end) for end in crawl.asks("/movie/her", "/browse")] == [IgnoreRequest, type(None)]


def test_its_delay_is_kept_by_all_who_ask_the_host():
    crawl = Crawl(answer(200, b"User-agent: *\nCrawl-delay: 2.5\n"), answer(200, b"User-agent: *\nCrawl-delay: 2\n"))
    crawl.asks("/movie/her")
    crawl.asks("http://127.0.0.1:8001/movie/her")
    assert crawl.run.quiet.delays == {"127.0.0.1": 2.5}
