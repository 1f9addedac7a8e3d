"""`python -m tests.faults.planted NAME... -- crawl movies ...`: Scrapy with faults planted, or protections taken out.

Each name is a function here. Those of `FAULTS` are what may happen to any crawl; those of `CONTROLS` take out one of
the protections, so that a test can show that it is needed, and that its loss would be seen.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from scrapy.cmdline import execute

from metacrawl.database import records, runs
from metacrawl.frontier import hosts, ledger, queue, turn
from metacrawl.frontier.ledger import Ledger
from metacrawl.frontier.page import Page

FATAL_PAGES = 4
SEEDS, FATAL_SEEDS = 2, 2


class SlowPipeline:
    """Lets other things happen before a record goes on."""

    async def process_item(self, item):
        """Take some time."""
        await asyncio.sleep(0.05)
        return item


# --- What may happen


def nothing() -> None:
    """Change nothing."""


def dies_storing() -> None:
    """Die when a page is about to be stored: when its end is noted, and its records are not."""
    pages, save = count(), records.save

    def dying_save(connection: Any, run: int, *found: Any) -> Any:
        if next(pages) == FATAL_PAGES:
            os.kill(os.getpid(), signal.SIGKILL)
        return save(connection, run, *found)

    records.save = dying_save


def seeds_slowly() -> None:
    """Put in what the crawl starts from a few at a time."""
    ledger.SEEDS = SEEDS


def dies_seeding() -> None:
    """Die in the middle of that."""
    in_the_middle_of_seeding(signal.SIGKILL)


def stops_seeding() -> None:
    """Stand still in the middle of that."""
    in_the_middle_of_seeding(signal.SIGSTOP)


def in_the_middle_of_seeding(fate: signal.Signals) -> None:
    seeds_slowly()
    batches, write = count(), Ledger.write

    async def dying_write(worker: Ledger, action: Any) -> Any:
        seeding = getattr(getattr(action, "func", None), "__name__", "") in {"seed_some", "seed_last"}
        if seeding and next(batches) == FATAL_SEEDS:
            os.kill(os.getpid(), fate)
        return await write(worker, action)

    Ledger.write = dying_write


def tells() -> None:
    """Tell when pages have been acknowledged."""
    acknowledge = turn.acknowledge

    def telling(connection: Any, worker: Any, pages: Any) -> Any:
        counts = acknowledge(connection, worker, pages)
        sys.stderr.write(f"planted: {len(pages)} pages acknowledged\n")
        sys.stderr.flush()
        return counts

    turn.acknowledge = telling


# --- What protects a crawl, taken out


def acknowledges_early() -> None:
    """Note the end of a page in a transaction of its own, before its records are stored."""
    store, settle = Ledger.store, queue.settle
    settled: set[int] = set()

    def store_early(worker: Ledger, order: turn.Order) -> turn.Turn:
        for state in ("done", "dead"):
            ids = [page.id for page in order.pages if turn.end_of(page) == state]
            settled.update(
                worker.database.write(lambda connection: settle(connection, worker.worker, ids, state))  # noqa: B023
            )
        return store(worker, order)

    Ledger.store = store_early
    queue.settle = lambda _connection, _worker, ids, _state: settled.intersection(ids)


def without_fence() -> None:
    """Take the end of a page from any worker."""
    queue.held_by = lambda _worker, ids: queue.FRONTIER.c.id.in_(ids)


def without_waiting() -> None:
    """Take a page for done when its callback has ended, wherever its records are."""
    Page.expect = Page.arrived = lambda _page: None


def keeps_pauses_to_itself() -> None:
    """Tell no other worker that a server wants no requests."""
    hosts.hold_back = lambda *_, **__: None


def without_renewal() -> None:
    """Lease once and for all."""
    queue.renew = lambda *_: None


def without_seeded() -> None:
    """Seed new runs only, and take all others for seeded."""
    enter, new = runs.enter, []

    def remembering(connection: Any, job: str, *given: Any) -> int:
        new.append(runs.open_run(connection, job) is None)
        return enter(connection, job, *given)

    runs.enter = remembering
    # The first to ask is who enters the run.
    runs.seeded = lambda *_: not (new and new.pop())


FAULTS: tuple[Callable[[], None], ...] = (nothing, dies_storing, seeds_slowly, dies_seeding, stops_seeding, tells)
CONTROLS: tuple[Callable[[], None], ...] = (
    acknowledges_early,
    without_fence,
    without_waiting,
    keeps_pauses_to_itself,
    without_renewal,
    without_seeded,
)


def main() -> None:
    end = sys.argv.index("--")
    plants = {plant.__name__: plant for plant in (*FAULTS, *CONTROLS)}
    for name in sys.argv[1:end]:
        plants[name]()
    execute(["scrapy", *sys.argv[end + 1 :]])


if __name__ == "__main__":
    main()
