"""`scrapy export`: the database as a dataset."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from scrapy.commands import ScrapyCommand

from metacrawl.commands import stop, unwritable
from metacrawl.database.connection import connect_to_read, told_of
from metacrawl.outcome import ConfigError, RefusedError
from metacrawl.secrets import check_command_line

if TYPE_CHECKING:
    from metacrawl.dataset.model import Dataset


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "--to DIR [--format FORMAT] [--movie FILMS] [--year YEARS] [--since DATE] [--partial]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Publish the database as a dataset: a folder of files that describe themselves"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take where to, in which form, and what of it."""
        super().add_options(parser)
        parser.add_argument("--to", metavar="DIR", type=Path, help="the dataset's own folder; made if it is missing")
        parser.add_argument("--format", default="jsonl", help="jsonl (default), csv, parquet or sqlite")
        parser.add_argument(
            "--movie", metavar="FILMS", help="these films only: slugs or URLs with commas between, or @file"
        )
        parser.add_argument("--year", metavar="YEARS", help="films released in a year, or a range 2010-2019")
        parser.add_argument(
            "--since", metavar="DATE", help="records that are new, changed or gone since a day or time stamp"
        )
        parser.add_argument(
            "--partial", action="store_true", help="publish what there is, though the last run was not complete"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Export, and say what lies where."""
        assert self.settings is not None
        try:
            check_command_line(self.settings)
            dataset = self.export(args, opts, self.settings["METACRAWL_DATABASE_URL"])
        except RefusedError as error:
            stop(error)
        print_files({opts.to / file.name: file.rows for file in dataset.files})
        if dataset.partial:
            print(f"This is what there is: {dataset.partial}")

    def export(self, args: list[str], opts: argparse.Namespace, database: str) -> "Dataset":
        """Check what was given, and export. Raises `RefusedError`."""
        # Not above: every command of Scrapy's imports all the others.
        from metacrawl.dataset.export import FORMS, export  # noqa: PLC0415
        from metacrawl.dataset.filters import read_filters  # noqa: PLC0415

        if args:
            raise ConfigError(f"export takes no {args[0]}")
        if opts.to is None:
            raise ConfigError("where to? for instance --to dataset")
        if opts.format not in FORMS:
            raise ConfigError(f"--format {opts.format} is none of {', '.join(FORMS)}")
        filters = read_filters(opts.movie, opts.year, opts.since)
        engine = connect_to_read(database)
        try:
            with told_of(engine, "read"):
                return export(engine, opts.to, opts.format, filters, partial=opts.partial)
        except OSError as error:
            raise unwritable(f"--to {opts.to}", error) from None
        finally:
            engine.dispose()


def print_files(written: Mapping[Path, int]) -> None:
    """Print a table of files."""
    table = Table(Column("file", overflow="fold"), Column("rows", justify="right"), Column("bytes", justify="right"))
    for path, rows in written.items():
        table.add_row(Text(str(path)), f"{rows:,}", f"{path.stat().st_size:,}")
    Console().print(table)
