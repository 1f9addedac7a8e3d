"""`scrapy diff`: what is different since a time."""

import argparse
import datetime as dt
import re

from scrapy.commands import ScrapyCommand

from metacrawl.commands import show, stop
from metacrawl.database.connection import connect_to_read, shown, told_of
from metacrawl.database.difference import Difference, difference, unknown
from metacrawl.dataset.filters import read_movies, read_since
from metacrawl.diff import show_difference
from metacrawl.items import iso_timestamp
from metacrawl.outcome import ConfigError, RefusedError
from metacrawl.secrets import check_command_line


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "--since DATE [--movie FILMS]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Show what is new, changed or gone since a day"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take since when, and of which films."""
        super().add_options(parser)
        parser.add_argument(
            "--since", metavar="DATE", help="a day or a time stamp, in UTC, or a number of days until now: 7d"
        )
        parser.add_argument(
            "--movie", metavar="FILMS", help="slugs or URLs with commas between, or @file with one a line"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Show it."""
        try:
            found = self.look(args, opts)
        except RefusedError as error:
            stop(error)
        show(show_difference(found))

    def look(self, args: list[str], opts: argparse.Namespace) -> Difference:
        """Check what was given, and read what is different. Raises `RefusedError`."""
        assert self.settings is not None
        check_command_line(self.settings)
        if args:
            raise ConfigError(f"diff takes no {args[0]}")
        if opts.since is None:
            raise ConfigError("since when? for instance --since 7d")
        since = read_start(opts.since, dt.datetime.now(dt.UTC))
        films = None if opts.movie is None else read_movies(opts.movie)
        engine = connect_to_read(self.settings["METACRAWL_DATABASE_URL"])
        try:
            with told_of(engine, "read"), engine.connect() as connection:
                for film in unknown(connection, films or ()):
                    raise ConfigError(f"there is no film {film} in {shown(engine.url)}")
                return difference(connection, since, films)
        finally:
            engine.dispose()


def read_start(value: str, now: dt.datetime) -> dt.datetime:
    """Read a time that is over, or a number of days until now. Raises `ConfigError`.

    >>> read_start("7d", dt.datetime(2026, 9, 8, tzinfo=dt.UTC))
    datetime.datetime(2026, 9, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    days = re.fullmatch(r"([0-9]{1,5})d", value)
    since = now - dt.timedelta(days=int(days[1])) if days else read_since(value)
    if since > now:
        raise ConfigError(f"since={value} is in the future: it is {iso_timestamp(now)}")
    return since
