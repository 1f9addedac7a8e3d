"""The transaction of the frontier: what is done goes in, what is next comes out."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa

from metacrawl.database import authors, completeness, records, runs
from metacrawl.frontier import queue, update
from metacrawl.frontier.memory import is_stale, look_up, remember
from metacrawl.frontier.page import META, Page
from metacrawl.frontier.payload import decode
from metacrawl.frontier.queue import Worker
from metacrawl.outcome import Outcome, Problem, told


@dataclass(frozen=True)
class Order:
    """What a worker wants of a transaction."""

    pages: Sequence[Page] = ()
    """Those that are done."""

    held: Collection[int] = ()
    """The requests that it keeps."""

    room: int = 0
    """How many more it can take."""

    renew: bool = False
    """Renew the leases of what it keeps."""

    reclaim: bool = False
    """Take back what dead workers have left."""

    refresh: Callable[[sa.Connection], None] | None = None
    """What to read anew when there is more to do."""

    reconcile: Callable[[sa.Connection], None] | None = None
    """What to do when nothing is left; it may queue more."""

    figures: Mapping[str, Mapping[str, int]] | None = None
    """What the worker has counted so far."""


@dataclass
class Turn:
    """What a transaction has brought."""

    leased: list[Page] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """What `metacrawl.database.records.save` counts; `known`, requests that were met before; `late`, pages that another
    worker has taken over; `discarded`, records that are not stored, for their page failed or was late."""

    over: bool = False
    """Nothing is left to do in the whole run."""


def take_turn(connection: sa.Connection, worker: Worker, order: Order, *, unsure: bool) -> Turn:
    """Do the transaction; `unsure`, whether one before may have been done without an answer."""
    turn = Turn(over=not runs.hold(connection, worker.run))
    if order.pages:
        turn.counts = acknowledge(connection, worker, order.pages)
    if order.figures:
        runs.set_figures(connection, worker.id, order.figures)
    if unsure:
        queue.give_back(connection, worker, keep=order.held)
    if order.renew:
        queue.renew(connection, worker, order.held)
    if order.reclaim:
        reclaim(connection, worker, everything=False)
    if order.room and not turn.over:
        leased = queue.lease(connection, worker, order.room, alone=not order.held)
        turn.leased = [page for row in leased if (page := read(connection, worker, row))]
        if leased and order.refresh:
            order.refresh(connection)
        if not leased and not order.held:
            turn.over = is_over(connection, worker.run, order)
    return turn


def is_over(connection: sa.Connection, run: int, order: Order) -> bool:
    """Tell whether nothing is left to do in the whole run."""
    if not runs.seeded(connection, run) or queue.left(connection, run):
        return False
    if order.reconcile:
        order.reconcile(connection)
    # Another worker may have queued the same.
    return not queue.left(connection, run)


def read(connection: sa.Connection, worker: Worker, row: queue.Leased) -> Page | None:
    """Make the page of a leased request; one that nobody can read is set aside."""
    try:
        request = decode(row.request)
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        queue.settle(connection, worker, [row.id], "dead")
        message = f"{row.url}: its row in the frontier cannot be read: {told(error)}"
        runs.note(connection, worker.run, [Problem(Outcome.INTERNAL, message)])
        return None
    page = Page(row.id, request, row.asked_for, suspect=row.crashes >= queue.SUSPECT)
    look_up(connection, worker, page)
    request.meta[META] = page
    return page


def acknowledge(connection: sa.Connection, worker: Worker, pages: Sequence[Page]) -> Counter[str]:
    """Mark pages as done and store what they have brought, unless another worker has taken them over."""
    if stale := {page for page in pages if is_stale(connection, page)}:
        # They are asked for anew, and read.
        queue.put_back(connection, worker, [page.id for page in stale])
        pages = [page for page in pages if page not in stale]
    mine = {
        id_
        for state in ("done", "dead")
        for id_ in queue.settle(connection, worker, [page.id for page in pages if end_of(page) == state], state)
    }
    kept = [page for page in pages if page.id in mine]
    alive = [page for page in kept if not page.dead]
    met_again = {
        table: {key for page in alive for key in page.met_again.get(table, ())}
        for table in {table for page in alive for table in page.met_again}
    }
    rests = update.find_rests(connection, worker, alive)
    counts = records.save(connection, worker.run, [record for page in alive for record in page.records], met_again)
    for page in kept:
        runs.note(connection, worker.run, page.problems, page=page.id, about=page.request.meta)
    for page in alive:
        completeness.keep(connection, worker.run, page.id, page.asked_for, page.totals)
        authors.count_left_out(connection, worker.run, page.left_out)
    update.begin_films(connection, worker, alive)
    left_out, taken = update.leave_out(connection, worker, rests)
    counts += taken
    runs.count_met(connection, worker.id, counts)
    counts["known"] = lead_on(connection, worker, kept, left_out)
    for page in kept:
        remember(connection, worker, page)
    lost = {page.id for page in pages} - mine
    if lost:
        lost -= queue.settled_before(connection, worker, lost)
        counts["late"] = len(lost)
    counts["discarded"] = sum(len(page.records) for page in pages if page.dead or page.id in lost)
    return counts


def lead_on(connection: sa.Connection, worker: Worker, pages: Sequence[Page], left_out: Collection[str]) -> int:
    """Queue what pages lead to, but for what is left out; returns how much of it was known."""
    rows = [(page, row) for page in pages for row in page.leads_to if row.key not in left_out]
    # A film that is being read is read to its end, whatever another run has read of it meanwhile.
    of_films = {row.key: row for page, row in rows if "film" in page.request.meta}
    films = {row.key: row for page, row in rows if "film" not in page.request.meta and row.key not in of_films}
    new = queue.add(connection, worker.run, of_films.values()) | update.add_films(connection, worker, films.values())
    return len(rows) - len(new)


def end_of(page: Page) -> str:
    return "dead" if page.dead else "done"


def reclaim(connection: sa.Connection, worker: Worker, *, everything: bool) -> None:
    """Take back what dead workers have left, and name the requests that are to blame."""
    lost = f"poison: it was lost with its worker {queue.POISON} times"
    poisonous = queue.reclaim(connection, worker, everything=everything)
    runs.note(connection, worker.run, [Problem(Outcome.PARTIAL, f"{url}: {lost}") for url in poisonous])
