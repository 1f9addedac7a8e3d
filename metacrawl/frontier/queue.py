"""The requests of a run as rows: queued → leased → done, or dead; or not due, and not asked for at all.

All times are the database's own, so that workers on several machines agree.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from metacrawl.database.rows import insert
from metacrawl.database.schema import FRONTIER, OPEN, PROBLEMS, RUNS

if TYPE_CHECKING:
    from metacrawl.frontier.update import Update

# A request whose processes have died so often is not tried again.
POISON = 3
# One that may be about to is tried alone, so that it alone is to blame.
SUSPECT = POISON - 1


class Clock(FunctionElement[float]):
    """Seconds since 1970."""

    type = sa.Double()
    inherit_cache = True


@compiles(Clock, "sqlite")
def sqlite_clock(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(Clock, "postgresql")
def postgresql_clock(*_: Any, **__: Any) -> str:
    # That of the transaction stands still.
    return "extract(epoch from clock_timestamp())::double precision"


@dataclass(frozen=True)
class Worker:
    """A process at work on a run; its leases hold for some seconds."""

    id: int
    run: int
    lease: float
    read_for: str = ""
    """What it reads pages for: see `metacrawl.frontier.memory`."""

    update: "Update | None" = None
    """What it need not ask for."""


@dataclass(frozen=True)
class Row:
    """A request to come."""

    key: str
    url: str
    asked_for: str
    priority: int
    request: str


@dataclass(frozen=True)
class Leased:
    """A request that a worker has taken."""

    id: int
    url: str
    asked_for: str
    priority: int
    request: str
    crashes: int


def is_in(state: str) -> sa.ColumnElement[bool]:
    """Compare with a state that stands in the statement itself: a parameter would not find the partial index."""
    return FRONTIER.c.state == sa.literal(state, literal_execute=True)


IS_OPEN = sa.or_(is_in("queued"), is_in("leased"))


def add(connection: sa.Connection, run: int, rows: Iterable[Row]) -> set[str]:
    """Queue requests; returns the keys of those that are new to the run."""
    values = [{"run": run, **vars(row), "state": "queued", "crashes": 0} for row in rows]
    if not values:
        return set()
    statement = insert(connection, FRONTIER).on_conflict_do_nothing(index_elements=["run", "key"])
    return set(connection.execute(statement.returning(FRONTIER.c.key), values).scalars())


def put_off(connection: sa.Connection, run: int, rows: Mapping[Row, dt.datetime]) -> set[str]:
    """Note requests that a run does not make, with the times from when on they are due; returns as `add` does."""
    values = [
        {"run": run, **vars(row), "request": None, "state": "not due", "crashes": 0, "lease_until": due_at.timestamp()}
        for row, due_at in rows.items()
    ]
    if not values:
        return set()
    statement = insert(connection, FRONTIER).on_conflict_do_nothing(index_elements=["run", "key"])
    return set(connection.execute(statement.returning(FRONTIER.c.key), values).scalars())


def not_due(connection: sa.Connection, run: int) -> tuple[int, dt.datetime | None]:
    """Count these, and tell when the first of them is due."""
    query = sa.select(sa.func.count(), sa.func.min(FRONTIER.c.lease_until))
    number, first = connection.execute(query.where(FRONTIER.c.run == run, FRONTIER.c.state == "not due")).one()
    return number, first and dt.datetime.fromtimestamp(first, dt.UTC)


def lease(connection: sa.Connection, worker: Worker, number: int, *, alone: bool) -> list[Leased]:
    """Take the next requests for a worker, the most urgent and oldest first, at most `number`.

    One under suspicion is taken only by a worker that is `alone` with it.
    """
    waiting = (
        sa.select(FRONTIER.c.id)
        .where(FRONTIER.c.run == worker.run, is_in("queued"))
        .order_by(FRONTIER.c.priority.desc(), FRONTIER.c.id)
        .with_for_update(skip_locked=True)
    )
    leased = take(connection, waiting.where(FRONTIER.c.crashes < SUSPECT).limit(number), worker)
    if not leased and alone:
        leased = take(connection, waiting.limit(1), worker)
    return sorted(leased, key=lambda row: (-row.priority, row.id))


def take(connection: sa.Connection, chosen: sa.Select[Any], worker: Worker) -> list[Leased]:
    # As a common table expression, the choice is made once.
    ids = chosen.cte("chosen")
    statement = (
        sa.update(FRONTIER)
        .where(FRONTIER.c.id.in_(sa.select(ids.c.id)))
        .values(state="leased", worker=worker.id, lease_until=Clock() + worker.lease)
        .returning(*(FRONTIER.c[field.name] for field in fields(Leased)))
    )
    return [Leased(*row) for row in connection.execute(statement)]


def held_by(worker: Worker, ids: Collection[int]) -> sa.ColumnElement[bool]:
    return sa.and_(FRONTIER.c.id.in_(ids), FRONTIER.c.worker == worker.id, is_in("leased"))


def settle(connection: sa.Connection, worker: Worker, ids: Collection[int], state: str) -> set[int]:
    """End requests as `done` or `dead`; returns those that the worker still had.

    This is the fence: what a request that was lost to another worker has brought must not be stored.
    """
    values = {"state": state} | ({"request": None} if state == "done" else {})
    statement = sa.update(FRONTIER).where(held_by(worker, ids)).values(values)
    return set(connection.execute(statement.returning(FRONTIER.c.id)).scalars()) if ids else set()


def settled_before(connection: sa.Connection, worker: Worker, ids: Collection[int]) -> set[int]:
    """Tell which requests the worker itself has ended: by a commit whose answer it did not get."""
    query = sa.select(FRONTIER.c.id).where(
        FRONTIER.c.id.in_(ids), FRONTIER.c.worker == worker.id, FRONTIER.c.state.in_(("done", "dead"))
    )
    return set(connection.execute(query).scalars())


def renew(connection: sa.Connection, worker: Worker, ids: Collection[int]) -> None:
    """Keep requests that a worker is at work on: by their ids, for what it has lost must not stay its own."""
    connection.execute(sa.update(FRONTIER).where(held_by(worker, ids)).values(lease_until=Clock() + worker.lease))


def put_back(connection: sa.Connection, worker: Worker, ids: Collection[int]) -> None:
    """Queue again what a worker has asked for in vain, and still has."""
    connection.execute(sa.update(FRONTIER).where(held_by(worker, ids)).values(state="queued"))


def give_back(connection: sa.Connection, worker: Worker, *, keep: Collection[int] = ()) -> None:
    """Queue again what a worker has leased, but for what it is to keep."""
    mine = sa.and_(
        FRONTIER.c.run == worker.run, is_in("leased"), FRONTIER.c.worker == worker.id, FRONTIER.c.id.not_in(keep)
    )
    connection.execute(sa.update(FRONTIER).where(mine).values(state="queued"))


def reclaim(connection: sa.Connection, worker: Worker, *, everything: bool) -> list[str]:
    """Queue again what dead workers have left: what is expired, or `everything` that the worker has not itself.

    Returns the URLs of those that are set aside, for their processes have died too often.
    """
    lost = sa.select(FRONTIER.c.id).where(FRONTIER.c.run == worker.run, is_in("leased"), FRONTIER.c.worker != worker.id)
    if not everything:
        lost = lost.where(FRONTIER.c.lease_until < Clock())
    ids = lost.with_for_update(skip_locked=True).cte("lost")
    crashes = FRONTIER.c.crashes + 1
    statement = (
        sa.update(FRONTIER)
        .where(FRONTIER.c.id.in_(sa.select(ids.c.id)))
        .values(state=sa.case((crashes >= POISON, "dead"), else_="queued"), crashes=crashes)
        .returning(FRONTIER.c.state, FRONTIER.c.url)
    )
    return [url for state, url in connection.execute(statement) if state == "dead"]


def is_failed(run: int) -> sa.ColumnElement[bool]:
    """Compare with what could not be had, but for what processes have died of."""
    return sa.and_(FRONTIER.c.run == run, FRONTIER.c.state == "dead", FRONTIER.c.crashes < POISON)


def failed(connection: sa.Connection, run: int) -> int:
    """Count the requests of what could not be had."""
    number: int = connection.execute(sa.select(sa.func.count()).where(is_failed(run))).scalar_one()
    return number


def retry(connection: sa.Connection, run: int) -> int:
    """Queue again what could not be had; forgets what was wrong with it."""
    pages = sa.select(FRONTIER.c.id).where(is_failed(run))
    connection.execute(sa.delete(PROBLEMS).where(PROBLEMS.c.run == run, PROBLEMS.c.page.in_(pages)))
    return connection.execute(sa.update(FRONTIER).where(is_failed(run)).values(state="queued")).rowcount


def left(connection: sa.Connection, run: int) -> int:
    """Count the requests that are queued or leased."""
    # In one statement, which sees one state: a request may go from the one to the other in between.
    number: int = connection.execute(sa.select(sa.func.count()).where(FRONTIER.c.run == run, IS_OPEN)).scalar_one()
    return number


def asked_for(connection: sa.Connection, run: int, *, still: bool) -> int:
    """Count what a run was asked for, or how much of it is not done to the end."""
    query = sa.select(sa.func.count(FRONTIER.c.asked_for.distinct())).where(FRONTIER.c.run == run)
    number: int = connection.execute(query.where(IS_OPEN) if still else query).scalar_one()
    return number


def runs_at_work(connection: sa.Connection) -> list[dict[str, Any]]:
    """Tell which runs somebody is at work on: `id`, `spider` and `arguments`, the oldest first."""
    leased = sa.select(FRONTIER.c.run).where(is_in("leased"), FRONTIER.c.lease_until >= Clock())
    query = sa.select(RUNS.c.id, RUNS.c.spider, RUNS.c.arguments).where(OPEN, RUNS.c.id.in_(leased))
    return [dict(row) for row in connection.execute(query.order_by(RUNS.c.id)).mappings()]


def keep_out(connection: sa.Connection) -> bool:
    """Keep all workers from leasing and storing in this transaction; false where one of them is at work.

    With SQLite a file is locked instead, and what dead workers have leased is no matter.
    """
    if connection.dialect.name != "postgresql":
        return True
    connection.execute(sa.text(f"LOCK TABLE {FRONTIER.name} IN EXCLUSIVE MODE"))
    at_work = sa.select(FRONTIER.c.id).where(is_in("leased"), FRONTIER.c.lease_until >= Clock())
    return connection.execute(at_work.limit(1)).first() is None
