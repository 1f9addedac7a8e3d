"""`scrapy extract`: what a page gives, and by which rules; nothing is stored."""

import argparse
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from scrapy import Request, Spider
from scrapy.commands import ScrapyCommand
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from metacrawl.commands import stop
from metacrawl.explain import Explanation, explain
from metacrawl.extract import LayoutError
from metacrawl.frontier.failures import problem_of
from metacrawl.outcome import ConfigError, Outcome, Problem, RefusedError, printable
from metacrawl.sources.files import FilesSource, forget_pictures
from metacrawl.sources.site import SiteSource
from metacrawl.spiders.arguments import read_captured_at, read_path
from metacrawl.urls import UrlError, archived, parse

# One page, had without the frontier and shown without the log.
SETTINGS = {
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "SPIDER_MIDDLEWARES": {},
    "EXTENSIONS": {},
    "ITEM_PIPELINES": {},
    "LOG_LEVEL": "WARNING",
}


class Command(ScrapyCommand):
    requires_project = True

    def syntax(self) -> str:
        """Say how the command is called."""
        return "[--captured-at TIME] [--json] FILE|URL"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Show what a page gives, saved or on the site, and by which rules"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take what is known of the page, and the form."""
        super().add_options(parser)
        parser.add_argument("--captured-at", metavar="TIME", help="when the site showed it, if the file does not say")
        parser.add_argument("--json", action="store_true", help="for a program: a JSON object for each page")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Set what is different from a crawl."""
        assert self.settings is not None
        self.settings.setdict(SETTINGS, priority="spider")
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Show each page; the exit code is that of a crawl that meets them."""
        try:
            if len(args) != 1:
                raise ConfigError("which page? for instance saved/her.html, or a URL of the site")
            captured_at = read_captured_at(opts.captured_at) if opts.captured_at else None
            if re.match(r"https?://", args[0], re.IGNORECASE):
                explained = self.fetched(args[0])
            else:
                explained = self.saved(FilesSource(read_path(args[0]), captured_at, self.limit))
            for name, found in explained:
                show(name, found, as_json=opts.json)
                self.exitcode = max(self.exitcode, Outcome.LAYOUT.value if found.refused else 0)
        except RefusedError as error:
            stop(error)
        except BrokenPipeError:
            # Who reads it has seen enough; what is left to write must go somewhere when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @property
    def limit(self) -> int:
        """How large a page may be."""
        assert self.settings is not None
        return self.settings.getint("DOWNLOAD_MAXSIZE")

    def saved(self, source: FilesSource) -> Iterator[tuple[str, Explanation]]:
        """Explain saved pages. Raises `ConfigError` for a file that cannot be read."""
        for request in source.first_requests(()):
            yield request.url, explained_file(source, request)

    def fetched(self, url: str) -> Iterator[tuple[str, Explanation]]:
        """Ask for a page as politely as a crawl does, and explain it. Raises `RefusedError`."""
        assert self.settings is not None
        assert self.crawler_process is not None
        if archived(url)[1] != url:
            raise ConfigError(f"{url} is a page of the web archive: save it and give the file, or crawl source=archive")
        contact = self.settings["METACRAWL_CONTACT"]
        source = SiteSource(self.settings["METACRAWL_SITE_URL"], self.settings["METACRAWL_API_URL"], contact)
        try:
            at_site = any(place.has(url) for place in source.places)
            page = parse(source.own_url(url) if at_site else url)
        except UrlError as error:
            raise ConfigError(str(error)) from None
        if page.is_api and not source.api:
            raise ConfigError(f"METACRAWL_API_URL is not set: {page.url} is an answer of the back end's")
        settings = self.settings.copy()
        if contact:
            settings.set("USER_AGENT", f"{settings['USER_AGENT']} (+{contact})", priority="spider")
        crawler = Crawler(OnePage, settings)
        request = source.request(page)
        self.crawler_process.crawl(crawler, source=source, request=request)
        self.crawler_process.start()
        found = crawler.spider.found if isinstance(crawler.spider, OnePage) else None
        if not isinstance(found, Explanation):
            raise FetchError(found or Problem(Outcome.INTERNAL, f"{request.url}: see the log"))
        yield request.url, found


class FetchError(RefusedError):
    """A page could not be had."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.outcome = problem.outcome


class OnePage(Spider):
    """Asks for one page."""

    name = "extract"

    def __init__(self, source: SiteSource, request: Request) -> None:
        super().__init__()
        self.source, self.request = source, request
        self.allowed_domains = source.hosts
        self.found: Explanation | Problem | None = None

    async def start(self) -> AsyncIterator[Any]:
        """Ask for it."""
        yield self.request.replace(errback=self.failed)

    def parse(self, response: Response) -> None:
        """Explain it."""
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        self.found = explain(response.body, url=self.source.own_url(response.url), content_type=content_type)

    def failed(self, failure: Failure) -> None:
        """Tell why it could not be had."""
        self.found = problem_of(self.request, failure.value)


def explained_file(source: FilesSource, request: Request) -> Explanation:
    """Explain a saved page."""
    if broken := request.meta.get("broken"):
        return Explanation(refused=broken)
    try:
        saved = source.saved(request.url, source.load(request.url))
    except LayoutError as error:
        return Explanation(refused=str(error))
    except OSError as error:
        raise ConfigError(f"{request.url} cannot be read: {error.strerror}") from None
    found = explain(saved.body, source.time_of(request.url, saved), **saved.known)
    if found.page:
        forget_pictures(found.page)
    return found


def show(name: str, found: Explanation, *, as_json: bool) -> None:
    """Print what a page gives."""
    plain = {"page": name, **found.plain}
    print(json_line(plain) if as_json else f"{printable(name)}\n{found}\n", flush=True)


def json_line(value: Any) -> str:
    """Write JSON that acts on no terminal: what is not printable stands in strings alone, where it can be escaped."""
    text = msgspec.json.encode(value).decode()
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
