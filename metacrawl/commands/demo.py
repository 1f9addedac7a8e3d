"""`scrapy demo`: the whole thing against the demo site, and a comparison of what it found with what is there."""

import argparse
from pathlib import Path

from scrapy.commands import ScrapyCommand

from metacrawl.commands import stop
from metacrawl.outcome import ConfigError, RefusedError

# Over the project's own, under what -s and -L say. Nobody else uses the demo site, so it needs no politeness.
# Nobody is told of it, either.
SETTINGS = {
    "LOG_LEVEL": "WARNING",
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "METACRAWL_WEBHOOK_URL": "",
    "METACRAWL_MAIL_TO": "",
}


class Command(ScrapyCommand):
    requires_project = True

    def syntax(self) -> str:
        """Say how the command is called."""
        return "[--to DIR]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Crawl the embedded demo site and check what was found; needs no network"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take where to."""
        super().add_options(parser)
        parser.add_argument(
            "--to",
            metavar="DIR",
            type=Path,
            default=Path("demo-dataset"),
            help="folder of its own for the database and the files (default: %(default)s)",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check what was given, before the log starts."""
        assert self.settings is not None
        self.settings.setdict(SETTINGS, priority="spider")
        super().process_options(args, opts)
        if args:
            stop(ConfigError(f"demo takes no {args[0]}"))

    def run(self, _args: list[str], opts: argparse.Namespace) -> None:
        """Crawl, compare, say what was found and where it lies; exit with 1 on any difference."""
        # Not above: every command of Scrapy's imports all the others.
        from metacrawl.demo.trial import try_out  # noqa: PLC0415

        assert self.crawler_process is not None
        assert self.settings is not None
        try:
            self.exitcode = 0 if try_out(self.crawler_process, self.settings, opts.to) else 1
        except RefusedError as error:
            stop(error)
