"""`scrapy forget`: remove an author from everything, for good."""

import argparse
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from scrapy.commands import ScrapyCommand

from metacrawl.authors import Authors, read_authors
from metacrawl.commands import stop, unwritable
from metacrawl.database.authors import claim
from metacrawl.database.connection import connect, connect_to_read, disposed_on_error, make_engine, shown, told_of
from metacrawl.database.forget import forget, purge
from metacrawl.database.lock import lock
from metacrawl.evidence import Evidence
from metacrawl.forget import Name, clean_records, remove_evidence
from metacrawl.frontier import queue
from metacrawl.outcome import ConfigError, LockedError, NothingError, RefusedError, amounts
from metacrawl.secrets import check_command_line


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "--author NAME [--dataset DIR ...]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Remove an author of user reviews from everything, for good"

    def long_desc(self) -> str:
        """Say what is removed from where."""
        return (
            f"{self.short_desc()}: from the database, its file, the pages kept as evidence, the records of runs and "
            "the datasets that are given. Later crawls store nothing by that author. Logs, backups and copies are "
            "yours to clean: see docs/privacy.md."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take who, and from which files."""
        super().add_options(parser)
        parser.add_argument("--author", metavar="NAME", help="the name exactly as it is stored, or the pseudonym")
        parser.add_argument(
            "--dataset",
            metavar="DIR",
            type=Path,
            action="append",
            default=[],
            help="a folder that was exported to: it is exported again, and its earlier versions go; may be repeated",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Forget, and say what was removed."""
        try:
            assert self.settings is not None
            check_command_line(self.settings)
            if args:
                raise ConfigError(f"forget takes no {args[0]}")
            if not opts.author:
                raise ConfigError("whom? for instance --author NAME")
            # Bytes that the terminal's encoding does not have come as halves of characters.
            if opts.author.encode(errors="replace").decode() != opts.author:
                raise ConfigError(f"--author {opts.author} is no text in the encoding of this terminal")
            removed = self.forget(opts.author, opts.dataset)
        except RefusedError as error:
            stop(error)
        print(f"forgotten: {amounts(removed) or 'nothing was left'}")

    def forget(self, author: str, folders: list[Path]) -> Counter[str]:
        """Remove an author wherever the settings lead; returns what was removed. Raises `RefusedError`."""
        # Not above: every command of Scrapy's imports all the others.
        from metacrawl.dataset.again import export_again, read_about  # noqa: PLC0415

        assert self.settings is not None
        datasets = {folder: read_about(folder) for folder in folders}
        url, authors = self.settings["METACRAWL_DATABASE_URL"], read_authors(self.settings)
        # One that is not there is not to be made.
        connect_to_read(url).dispose()
        held = lock(make_engine(url).url)
        engine = connect(url)
        try:
            with disposed_on_error(engine), told_of(engine, "write"):
                removed = self.remove(engine, authors, author)
                purge(engine)
                for folder, about in datasets.items():
                    export_again(engine, folder, about)
                    removed["dataset"] += 1
        except OSError as error:
            raise unwritable(error.filename or "a file", error) from None
        finally:
            engine.dispose()
            if held:
                held.release()
        return removed

    def remove(self, engine: sa.Engine, authors: Authors, author: str) -> Counter[str]:
        """Remove an author from all but datasets."""
        assert self.settings is not None
        names = [Name(author), Name(authors.alias_given(author))]
        folder = Path(self.settings["METACRAWL_RUNS"])
        with engine.begin() as connection:
            claim(connection, authors)
            keep_out(connection)
        elsewhere = Counter(
            {
                "evidence page": sum(remove_evidence(Evidence.of(self.settings).folder, name) for name in names),
                "run record": sum(clean_records(folder, name) for name in names),
            }
        )
        with engine.begin() as connection:
            keep_out(connection)
            removed = forget(connection, authors, author, elsewhere=any(elsewhere.values()))
        if removed is None:
            raise NothingError(f"there is nothing by the author {author} in {shown(engine.url)}: is it the exact name?")
        return removed + elsewhere


def keep_out(connection: sa.Connection) -> None:
    """Keep crawls out of the database in this transaction. Raises `LockedError` where one is at work."""
    if not queue.keep_out(connection):
        database = shown(connection.engine.url)
        raise LockedError(f"{database} is in use by a crawl: wait for it to end, or to be taken for dead")
