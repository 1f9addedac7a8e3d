"""`scrapy crawl`, with arguments checked before anything starts and an exit code that tells how the run ended."""

import argparse
import sys

from scrapy.commands import crawl
from scrapy.spiderloader import get_spider_loader

from metacrawl.commands import stop
from metacrawl.database.connection import connect
from metacrawl.database.lock import lock
from metacrawl.outcome import ConfigError, Outcome, RefusedError
from metacrawl.spiders.arguments import read_arguments
from metacrawl.spiders.base import FilmSpider, make_source

ARGUMENTS = """\
Arguments, each as -a NAME=VALUE: movie= a slug, any URL of a film's, or @FILE with one a line;
reviews= all (default), critics, users or none (spider movies); limit= number of films;
source= site (default) or files; path= a saved page, a folder or a pattern, for source=files;
captured_at= when the saved pages were saved."""


class Command(crawl.Command):
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
        if issubclass(spider, FilmSpider):
            make_source(read_arguments(given, spider.takes), self.settings)
        engine = connect(self.settings["METACRAWL_DATABASE_URL"])
        if held := lock(engine):
            held.release()
        engine.dispose()
        try:
            self.settings.getbool("METACRAWL_PROGRESS")
        except ValueError:
            raise ConfigError(f"METACRAWL_PROGRESS={self.settings['METACRAWL_PROGRESS']} is neither 0 nor 1") from None

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl, say how it ended, and exit with the code of that."""
        if len(args) != 1:
            super().run(args, opts)
            return
        assert self.crawler_process is not None
        crawler = self.crawler_process.create_crawler(args[0])
        self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        # A run that left no outcome either never began or was stopped by force, by a second signal.
        default = Outcome.INTERNAL if self.crawler_process.bootstrap_failed else Outcome.INTERRUPTED
        outcome = Outcome[crawler.stats.get_value("metacrawl/outcome", default.name)]
        # Records that go to standard output are for a program.
        feeds = crawler.settings.getdict("FEEDS")
        line = sys.stderr if any(str(uri).startswith("stdout:") for uri in feeds) else sys.stdout
        print(f"{outcome.label}: {crawler.stats.get_value('metacrawl/message', 'see the log')}", file=line)
        self.exitcode = outcome.value
