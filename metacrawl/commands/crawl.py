"""`scrapy crawl`, with arguments checked before anything starts and an exit code that tells how the run ended."""

import argparse
import sys

import sqlalchemy as sa
from scrapy.commands import crawl
from scrapy.settings import BaseSettings
from scrapy.spiderloader import get_spider_loader

from metacrawl import notify
from metacrawl.authors import read_authors
from metacrawl.commands import stop
from metacrawl.database import authors, runs
from metacrawl.database.connection import connect, disposed_on_error, make_engine, told_of
from metacrawl.database.lock import take
from metacrawl.evidence import Evidence
from metacrawl.frontier import queue
from metacrawl.frontier.beginning import to_go_on_with
from metacrawl.outcome import ConfigError, Outcome, RefusedError, amounts, printable
from metacrawl.revisits import read_revisits
from metacrawl.secrets import check_command_line
from metacrawl.spiders.arguments import read_arguments
from metacrawl.spiders.base import FilmSpider, job_of, make_source

ARGUMENTS = """\
Arguments, each as -a NAME=VALUE: movie= a slug, any URL of a film's, or @FILE with one a line; or the films of a list:
browse= metascore, userscore, new or popular, year= 2014 or 2010-2019, genre= drama or drama,sci-fi; limit= number of
films; reviews= all (default), critics, users or none (spider movies); source= site (default), archive or files;
at= 2014, 2014-07, 2014-07-16 or 2014-2017, for source=archive; path= a saved page, a WARC, a folder or a pattern, for
source=files; captured_at= when the saved pages were saved; update= changed (default), which asks only for what may have
changed since the last crawl, or full; fresh=1 starts anew where a run that was cut short would go on."""


class Command(crawl.Command):
    resumed = ""
    """Told before anything else."""

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Crawl films: movies, critic_reviews or user_reviews"

    def long_desc(self) -> str:
        """Say what the command takes."""
        return f"{self.short_desc()}. {ARGUMENTS}"

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check everything that a person gave, before the log starts."""
        super().process_options(args, opts)
        if len(args) != 1:
            return  # Scrapy's own usage error
        try:
            self.check(args[0], opts.spargs)
        except RefusedError as error:
            stop(error)

    def check(self, name: str, given: dict[str, str]) -> None:
        """Raise what a run with these arguments would stop at."""
        assert self.settings is not None
        spiders = get_spider_loader(self.settings)
        if name not in spiders.list():
            raise ConfigError(f"no spider {name}; there are {', '.join(sorted(spiders.list()))}")
        spider = spiders.load(name)
        check_settings(self.settings)
        if not issubclass(spider, FilmSpider):
            return
        arguments = read_arguments(given, spider.takes)
        job = job_of(name, arguments, make_source(arguments, self.settings, spider.beside(arguments)))
        url = self.settings["METACRAWL_DATABASE_URL"]
        held = take(make_engine(url).url, job if given.get("_job") else "")
        engine = connect(url)
        if held:
            held.release()
        with disposed_on_error(engine), told_of(engine, "read"), engine.connect() as connection:
            authors.check(connection, read_authors(self.settings))
            if not arguments.fresh:
                self.resumed = describe(connection, job, arguments.source)
        engine.dispose()

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl, say how it ended, and exit with the code of that."""
        if len(args) != 1:
            super().run(args, opts)
            return
        assert self.crawler_process is not None
        crawler = self.crawler_process.create_crawler(args[0])
        # Records that go to standard output are for a program.
        feeds = crawler.settings.getdict("FEEDS")
        out = sys.stderr if any(str(uri).startswith("stdout:") for uri in feeds) else sys.stdout
        if self.resumed:
            print(self.resumed, file=out, flush=True)
        self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        # A run that left no outcome either never began or was stopped by force, by a second signal.
        default = Outcome.INTERNAL if self.crawler_process.bootstrap_failed else Outcome.INTERRUPTED
        outcome = Outcome[crawler.stats.get_value("metacrawl/outcome", default.name)]
        message = printable(crawler.stats.get_value("metacrawl/message", "see the log"))
        print(f"{outcome.label}: {message}", file=out)
        self.exitcode = outcome.value


def check_settings(settings: BaseSettings) -> None:
    """Raise `ConfigError` for a setting of ours that is no number where it must be one, or no address."""
    check_command_line(settings)
    notify.check(settings)
    Evidence.of(settings)
    read_revisits(settings)
    try:
        settings.getbool("METACRAWL_PROGRESS")
    except ValueError:
        raise ConfigError(f"METACRAWL_PROGRESS={settings['METACRAWL_PROGRESS']} is neither 0 nor 1") from None
    numbers = {"METACRAWL_DATABASE_TIMEOUT": 0, "METACRAWL_LEASE_SECONDS": 1, "METACRAWL_STALL_SECONDS": 1}
    for name, least in numbers.items():
        try:
            enough = least <= settings.getfloat(name) < float("inf")
        except ValueError:
            enough = False
        if not enough:
            raise ConfigError(f"{name}={settings[name]} is no number of seconds, {least} or more")


def describe(connection: sa.Connection, job: str, source: str) -> str:
    """Tell of the run that a command goes on with; empty where it starts one."""
    run = to_go_on_with(connection, job, source)
    if run is None:
        return ""
    left = amounts({"request": queue.left(connection, run) + queue.failed(connection, run)})
    return f"resuming run {run}: {amounts(runs.met(connection, run))} so far, {left} to go"
