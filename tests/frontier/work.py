"""A worker on the frontier that does what it is told."""

import asyncio
from collections import Counter

from scrapy import Request

from metacrawl.database.patience import PatientDatabase
from metacrawl.frontier.ledger import Ledger
from metacrawl.frontier.page import page_of
from tests.frontier.parts import SITE, name_of, row

# Seconds after which a test that hangs is given up.
LONG = 20


class Work:
    """A worker that reads every page it is given, and what was said of it."""

    def __init__(self, database, capacity=3, seconds=0.1, lease=60):
        self.worker = database.worker(lease)
        self.counts, self.failures, self.read, self.turns = Counter(), [], [], 0
        self.ledger = Ledger(
            PatientDatabase(database.engine, seconds), self.worker, capacity, self.count, self.failures.append
        )

    def count(self, counts):
        """Take in what a turn has brought."""
        self.counts += counts
        self.turns += 1

    async def seed(self, *names):
        """Put in what the run starts from."""

        async def rows():
            for name in names:
                yield row(name)

        await self.ledger.seed(rows())

    async def work(self, bring=lambda page: None):
        """Read page after page, as many at a time as there are, until there are no more."""
        reading = []
        async for request in self.ledger.requests():
            page = page_of(request)
            self.read.append(name_of(request.url))
            bring(page)
            reading.append(asyncio.create_task(self.ledger.commit(page)))
        await asyncio.gather(*reading)

    async def take(self, number):
        """Take so many requests, and leave the rest to come."""
        self.coming = self.ledger.requests()
        return [page_of(await anext(self.coming)) for _ in range(number)]


def run(coroutine):
    """Run to the end, or fail if there is none."""

    async def bounded():
        return await asyncio.wait_for(coroutine, LONG)

    return asyncio.run(bounded())


async def true(condition):
    """Wait until something is true."""
    while not condition():  # noqa: ASYNC110 - what is waited for gives no sign
        await asyncio.sleep(0.01)


def follow(page, *names):
    """Have a page lead to others."""
    for name in names:
        page.follow(Request(SITE + name), name)
