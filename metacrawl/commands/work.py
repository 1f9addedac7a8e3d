"""`scrapy work`: a worker that helps with whatever run is at work, until it is told to end."""

import argparse
import asyncio
import logging
import shlex
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings
from scrapy.utils.log import configure_logging

from metacrawl.commands import stop
from metacrawl.commands.crawl import check_settings
from metacrawl.database.connection import connect_to_read, make_engine, told_of
from metacrawl.frontier import queue
from metacrawl.log import make_safe
from metacrawl.outcome import ConfigError, DatabaseError, RefusedError
from metacrawl.status import words_of

logger = logging.getLogger(__name__)

# Seconds between two looks for a run, and those before the next after one that was no success.
INTERVAL, REST = 10.0, 300.0


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Help with the crawls of others on the same PostgreSQL, whichever is at work"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Wait for runs and join them, one after the other, until SIGTERM or SIGINT."""
        assert self.settings is not None
        try:
            if args:
                raise ConfigError(f"work takes no {args[0]}")
            check_settings(self.settings)
            if make_engine(self.settings["METACRAWL_DATABASE_URL"]).dialect.name == "sqlite":
                raise ConfigError("a SQLite database has one process at a time: workers need PostgreSQL")
        except RefusedError as error:
            stop(error)
        configure_logging(self.settings)
        make_safe()
        asyncio.run(Worker(self.settings, opts.set).work())


class Worker:
    """Joins runs with a process for each, which gets the settings that were `given` on the command line."""

    def __init__(self, settings: BaseSettings, given: list[str]) -> None:
        self.url = settings["METACRAWL_DATABASE_URL"]
        self.given = [part for setting in given for part in ("-s", setting)]
        self.told = ""

    async def work(self) -> None:
        """Look for a run now and then, and join it."""
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        while not stopping.is_set():
            run = await asyncio.to_thread(self.find)
            well = await self.join(run, stopping) if run else True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), INTERVAL if well else REST)

    def find(self) -> Mapping[str, Any] | None:
        """Find a run that somebody is at work on; says once what stands against it."""
        try:
            runs = self.look()
        except DatabaseError as error:
            self.tell(f"{error}; waiting for it")
            return None
        if not runs:
            self.tell("waiting for a run")
        return runs[0] if runs else None

    def look(self) -> list[dict[str, Any]]:
        """Read which runs are at work. Raises `DatabaseError`."""
        engine = connect_to_read(self.url)
        try:
            with told_of(engine, "read"), engine.connect() as connection:
                return queue.runs_at_work(connection)
        finally:
            engine.dispose()

    def tell(self, what: str) -> None:
        """Log what the worker waits for, once."""
        if what != self.told:
            logger.info("%s", what)
        self.told = what

    async def join(self, run: Mapping[str, Any], stopping: asyncio.Event) -> bool:
        """Work on a run until it is over or the worker is to end; tells whether that went well."""
        crawl = [*words_of(run), "-a", f"_join={run['id']}"]
        self.tell(f"joining run {run['id']}: {shlex.join(crawl)}")
        # A session of its own: of a Ctrl-C it learns from here, and once.
        command = (sys.executable, "-m", "scrapy", *crawl, *self.given)
        child = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        ended, stopped = asyncio.create_task(child.wait()), asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            child.terminate()
        code = await ended
        self.tell(f"left run {run['id']}: its process ended with {code}")
        return code == 0
