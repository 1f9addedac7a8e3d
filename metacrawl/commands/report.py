"""`scrapy report`: what the database holds, as a page."""

import argparse
from pathlib import Path

from scrapy.commands import ScrapyCommand

from metacrawl.commands import show, stop, unwritable
from metacrawl.database.connection import connect_to_read, told_of
from metacrawl.outcome import ConfigError, RefusedError
from metacrawl.secrets import check_command_line
from metacrawl.status import text


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "[--to FILE]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Write a page of figures about the database, for any browser; needs no network"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take where to."""
        super().add_options(parser)
        parser.add_argument(
            "--to", metavar="FILE", type=Path, default=Path("report.html"), help="the page (default: %(default)s)"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Write it, and say where it lies."""
        try:
            self.report(args, opts.to)
        except RefusedError as error:
            stop(error)
        show([text(opts.to)])

    def report(self, args: list[str], path: Path) -> None:
        """Check what was given, and write the page. Raises `RefusedError`."""
        # Not above: every command of Scrapy's imports all the others, and this draws.
        from metacrawl.report.page import write  # noqa: PLC0415

        assert self.settings is not None
        check_command_line(self.settings)
        if args:
            raise ConfigError(f"report takes no {args[0]}")
        if not path.name:
            raise ConfigError(f"--to {path} is a folder: name a file, for instance --to report.html")
        engine = connect_to_read(self.settings["METACRAWL_DATABASE_URL"])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with told_of(engine, "read"):
                write(engine, path)
        except OSError as error:
            raise unwritable(f"--to {path}", error) from None
        finally:
            engine.dispose()
