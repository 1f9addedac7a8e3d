"""The frontier as one worker sees it: what it holds, what it has done, what it is given next."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from scrapy import Request

from metacrawl.database import runs
from metacrawl.database.patience import PatientDatabase, is_away
from metacrawl.database.schema import FRONTIER
from metacrawl.figures import Figures
from metacrawl.frontier import queue
from metacrawl.frontier.page import Page
from metacrawl.frontier.turn import Order, Turn, take_turn
from metacrawl.frontier.update import add_films
from metacrawl.outcome import Outcome, Problem, told

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds between looks for what other workers have queued.
POLL = 1.0
# Seconds that pages wait for others to share a transaction with, as long as others are under way.
LINGER = 0.1
# Seconds that a transaction may take beyond those that the database may be away.
MARGIN = 20.0
# How many of the requests that a crawl starts from go into one transaction.
SEEDS = 1000


class Ledger:
    """Leases requests of a run for one worker, at most `capacity` at a time, and stores what comes of them.

    It uses the database in a thread of its own, so that a slow one stops only those who wait for it; pages that are
    done in the meantime share the next transaction. Calls `on_turn` after each, and `on_failure` once when no more is
    possible.
    """

    def __init__(
        self,
        database: PatientDatabase,
        worker: queue.Worker,
        capacity: int,
        on_turn: Callable[[Counter[str]], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.database, self.worker, self.capacity = database, worker, capacity
        self.on_turn, self.on_failure = on_turn, on_failure
        self.reconcile: Callable[[sa.Connection], None] | None = None
        """What to do when nothing is left, which may queue more."""
        self.refresh: Callable[[sa.Connection], None] | None = None
        """What to read anew whenever requests are leased."""
        self.figures = Figures()
        self.figures_at = 0.0
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self.held: dict[int, Page] = {}
        self.on_hold: dict[int, Page] = {}
        """Those of them that were read, and wait for others to be read: they take no room."""
        self.let_go: Callable[[], None] | None = None
        self.done: dict[Page, asyncio.Future[None]] = {}
        self.leased: asyncio.Queue[Request | None] = asyncio.Queue()
        self.wake = asyncio.Event()
        self.all_done = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.leasing = self.open = True
        self.over = False
        """Nothing is left to do in the whole run."""
        self.renewed_at = time.monotonic()
        self.waiting = False
        self.pages = 0
        """How many pages this worker has brought to their end."""

    async def write(self, action: Callable[[sa.Connection], T]) -> T:
        """Do something in one transaction, in the ledger's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, self.database.write, action)

    async def seed(self, rows: AsyncIterator[queue.Row]) -> None:
        """Put in the requests that the run starts from, and note that all are in."""
        batch: list[queue.Row] = []
        async for row in rows:
            batch.append(row)
            if len(batch) == SEEDS:
                await self.write(partial(self.seed_some, rows=batch))
                batch = []
        await self.write(partial(self.seed_last, rows=batch))

    def seed_last(self, connection: sa.Connection, rows: Sequence[queue.Row]) -> None:
        self.seed_some(connection, rows)
        runs.set_seeded(connection, self.worker.run)
        if connection.dialect.name == "postgresql":
            # A table that has just grown is read from end to end until its server has looked at it.
            connection.execute(sa.text(f"ANALYZE {FRONTIER.name}"))

    def seed_some(self, connection: sa.Connection, rows: Sequence[queue.Row]) -> None:
        if runs.hold(connection, self.worker.run):
            add_films(connection, self.worker, rows)

    async def requests(self) -> AsyncIterator[Request]:
        """Lease request after request until nothing is left in the whole run."""
        self.task = asyncio.create_task(self.work())
        try:
            while (request := await self.leased.get()) is not None:
                yield request
        finally:
            # Whoever asked wants no more.
            self.leasing = False

    async def commit(self, page: Page) -> None:
        """Store all that has come of a page; returns when it is stored, or never will be."""
        if stored := self.finish(page):
            await stored

    def finish(self, page: Page) -> asyncio.Future[None] | None:
        """Have a page stored with the next turn; gives what to wait for, if it is still to be stored."""
        self.on_hold.pop(page.id, None)
        if not self.open or page.id not in self.held or page in self.done:
            return None
        self.done[page] = asyncio.get_running_loop().create_future()
        self.wake.set()
        if len(self.done) == len(self.held) - len(self.on_hold):
            self.all_done.set()
        return self.done[page]

    def hold(self, page: Page, let_go: Callable[[], None]) -> None:
        """Keep a page that was read until it is finished; `let_go` is called when nothing else is left to do."""
        if self.open and page.id in self.held:
            self.on_hold[page.id], self.let_go = page, let_go
            self.wake.set()

    async def work(self) -> None:
        """Take turn after turn, until nothing is left or the ledger is closed."""
        try:
            # What others have taken over, and ended the run with, is still on its way here.
            while self.open and (not (await self.turn()).over or self.held):
                await self.pause()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be stored any more, and the run must say so
            self.open = False
            self.end(list(self.done))
            self.on_failure(error)
        self.leased.put_nowait(None)

    async def pause(self) -> None:
        """Wait for something to do, and a little longer for more of it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), min(POLL, self.worker.lease / 3))
            await asyncio.wait_for(self.all_done.wait(), LINGER)

    async def turn(self) -> Turn:
        """Do one transaction, if there is anything to do."""
        self.wake.clear()
        self.all_done.clear()
        pages = list(self.done)
        held = self.held.keys() - {page.id for page in pages}
        room = self.room(held) if self.leasing and self.open else 0
        since = time.monotonic() - self.renewed_at
        renew = since >= self.worker.lease / 3
        if not (pages or room or renew):
            return Turn()
        # After a pause of all, such as of the database, leases have run out whose workers are well.
        reclaim = renew and since < self.worker.lease
        order = Order(pages, held, room, renew, reclaim, self.refresh, self.reconcile, self.figures_to_write())
        turn = await asyncio.wait_for(
            asyncio.get_running_loop().run_in_executor(self.thread, self.store, order), self.database.seconds + MARGIN
        )
        if renew:
            self.renewed_at = time.monotonic()
        self.tell(turn, held)
        self.over = turn.over
        self.pages += len(pages)
        self.end(pages)
        for page in turn.leased:
            self.held[page.id] = page
            self.leased.put_nowait(page.request)
        self.on_turn(turn.counts)
        if room and self.let_go and self.held and self.held.keys() == self.on_hold.keys():
            self.let_go()
        return turn

    def figures_to_write(self) -> dict[str, dict[str, int]] | None:
        """Give the figures now and then: they are some thousand numbers."""
        if self.open and time.monotonic() < self.figures_at:
            return None
        self.figures_at = time.monotonic() + POLL
        return self.figures.as_json()

    def tell(self, turn: Turn, held: Collection[int]) -> None:
        """Log when there is nothing to do but to wait for others."""
        waiting = self.leasing and not (turn.over or turn.leased or held)
        if waiting and not self.waiting:
            logger.info(
                "All that is left is leased by other workers, for up to %d s more if they are dead", self.worker.lease
            )
        self.waiting = waiting

    def room(self, held: AbstractSet[int]) -> int:
        """Tell how many more requests there is room for; beside one under suspicion for none."""
        at_work = held - self.on_hold.keys()
        if any(self.held[id_].suspect for id_ in at_work):
            return 0
        return self.capacity - len(at_work)

    def store(self, order: Order) -> Turn:
        """Do the transaction; a page that cannot be stored is given up, and the others are stored without it."""
        try:
            return self.database.write(
                lambda connection: take_turn(connection, self.worker, order, unsure=self.database.unsure)
            )
        except Exception as error:
            if is_away(error) or all(page.dead for page in order.pages):
                raise
            logger.warning("%d pages could not be stored together: %s", len(order.pages), told(error))
            if len(order.pages) == 1:
                url = order.pages[0].request.url
                order.pages[0].fail(Problem(Outcome.INTERNAL, f"{url}: {told(error)}"))
        counts: Counter[str] = Counter()
        for number, page in enumerate(order.pages, 1):
            others = {*order.held, *(other.id for other in order.pages[number:])}
            counts += self.store(Order([page], others)).counts
        turn = self.store(replace(order, pages=()))
        turn.counts += counts
        return turn

    def end(self, pages: Sequence[Page]) -> None:
        """Let those go on who wait for pages."""
        for page in pages:
            self.held.pop(page.id, None)
            self.on_hold.pop(page.id, None)
            stored = self.done.pop(page)
            if not stored.done():
                stored.set_result(None)

    async def close(self) -> None:
        """Store what is done, give back what is not. Raises what the database raised."""
        was_open, self.open, self.leasing = self.open, False, False
        self.wake.set()
        self.all_done.set()
        if self.task:
            await self.task
        try:
            if was_open:
                await self.turn()
                await self.write(partial(queue.give_back, worker=self.worker))
        finally:
            self.end(list(self.done))
            self.thread.shutdown(wait=False)
