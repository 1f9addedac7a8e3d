"""`scrapy status`: the runs, what is left to do, and what is missing."""

import argparse
import json
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from rich.console import RenderableType
from scrapy.commands import ScrapyCommand

from metacrawl.commands import piped, show, stop
from metacrawl.database import account, overview
from metacrawl.database.connection import connect_to_read, told_of
from metacrawl.outcome import ConfigError, RefusedError
from metacrawl.secrets import check_command_line
from metacrawl.status import show_overview, show_rules, show_run

# What was found, and how to show it.
Seen = tuple[dict[str, Any], Iterator[RenderableType]]


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "[--films] [--rules] [--json] [RUN]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Show the runs, what is left to do and what is missing; or one run in full"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take what to show, and in which form."""
        super().add_options(parser)
        parser.add_argument("--films", action="store_true", help="name all films, complete ones too")
        parser.add_argument("--rules", action="store_true", help="the expressions that never match, over all runs")
        parser.add_argument("--json", action="store_true", help="for a program")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Show it."""
        try:
            found, shown = self.look(args, opts)
        except RefusedError as error:
            stop(error)
        if not opts.json:
            show(shown)
            return
        with piped():
            print(json.dumps(found, ensure_ascii=False, indent=1))

    def look(self, args: list[str], opts: argparse.Namespace) -> Seen:
        """Check what was given, and read what is asked for. Raises `RefusedError`."""
        assert self.settings is not None
        check_command_line(self.settings)
        if args and not re.fullmatch(r"[0-9]{1,9}", " ".join(args)):
            raise ConfigError(f"status takes the number of a run, not {' '.join(args)}")
        engine = connect_to_read(self.settings["METACRAWL_DATABASE_URL"])
        try:
            with told_of(engine, "read"), engine.connect() as connection:
                return look_at(connection, args, opts)
        finally:
            engine.dispose()


def look_at(connection: sa.Connection, args: list[str], opts: argparse.Namespace) -> Seen:
    """Read one run, the rules or the overview. Raises `ConfigError` for a run that is not there."""
    if args:
        try:
            found = account.give(connection, int(args[0]))
        except LookupError:
            raise ConfigError(f"there is no run {args[0]}") from None
        return found, show_run(found)
    if opts.rules:
        found = overview.rules(connection)
        return found, show_rules(found)
    found = overview.overview(connection)
    return found, show_overview(found, all_films=opts.films)
