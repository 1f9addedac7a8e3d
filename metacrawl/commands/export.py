"""`scrapy export`: the database as files."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from scrapy.commands import ScrapyCommand

from metacrawl.commands import stop
from metacrawl.database.connection import connect_to_read
from metacrawl.export import WRITERS, export
from metacrawl.outcome import ConfigError, RefusedError
from metacrawl.secrets import check_command_line


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "--to DIR [--format FORMAT]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Write the database as files, one per record kind"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take where to, and in which form."""
        super().add_options(parser)
        parser.add_argument("--to", metavar="DIR", type=Path, help="folder for the files; made if it is missing")
        parser.add_argument("--format", default="jsonl", help=f"{' or '.join(WRITERS)} (default: jsonl)")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Export, and say what lies where."""
        assert self.settings is not None
        try:
            check_command_line(self.settings)
            written = self.export(args, opts, self.settings["METACRAWL_DATABASE_URL"])
        except RefusedError as error:
            stop(error)
        print_files(written)

    def export(self, args: list[str], opts: argparse.Namespace, database: str) -> dict[Path, int]:
        """Check what was given, and export. Raises `RefusedError`."""
        if args:
            raise ConfigError(f"export takes no {args[0]}")
        if opts.to is None:
            raise ConfigError("where to? for instance --to dataset")
        if opts.format not in WRITERS:
            raise ConfigError(f"--format {opts.format} is none of {', '.join(WRITERS)}")
        engine = connect_to_read(database)
        try:
            return export(engine, opts.to, opts.format)
        except OSError as error:
            raise ConfigError(f"--to {opts.to} cannot be written: {error.strerror}") from None


def print_files(written: dict[Path, int]) -> None:
    """Print a table of files."""
    table = Table(Column("file", overflow="fold"), Column("records", justify="right"), Column("bytes", justify="right"))
    for path, records in written.items():
        table.add_row(Text(str(path)), f"{records:,}", f"{path.stat().st_size:,}")
    Console().print(table)
