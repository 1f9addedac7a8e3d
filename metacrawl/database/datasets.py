"""What datasets are made of: rows of plain values, streamed, all of one state of the database."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from metacrawl.authors import KEEP
from metacrawl.completeness import SHORT
from metacrawl.database.connection import only_to_read
from metacrawl.database.films import RELEASE_YEAR
from metacrawl.database.schema import (
    AUTHORS,
    CHANGES,
    COMPLETENESS,
    CRITIC_REVIEWS,
    METADATA,
    MOVIES,
    RUNS,
    TABLES,
    USER_REVIEWS,
)
from metacrawl.dataset.filters import Filters
from metacrawl.items import iso_timestamp
from metacrawl.outcome import Outcome

Row = Sequence[Any]
Where = list[sa.ColumnElement[bool]]
# How many rows are read at a time.
AT_ONCE = 2000
REVIEWS = (CRITIC_REVIEWS, USER_REVIEWS)


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a database to read it as it is now, however long that takes."""
    with only_to_read(engine).connect() as connection:
        if engine.dialect.name == "postgresql":
            # A disk may be slow to take what was read.
            connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection


def is_empty(connection: sa.Connection, filters: Filters) -> bool:
    """Tell whether no record is asked for."""
    found = (sa.select(table.c.key).where(*wanted(table, filters)).limit(1) for table in TABLES.values())
    return not any(connection.execute(query).first() for query in found)


def read(connection: sa.Connection, table: str, columns: Sequence[str], filters: Filters) -> Iterator[Sequence[Row]]:
    """Read records by key, some at a time: days and times as text, lists as in JSON."""
    found = METADATA.tables[table]
    selected = [as_text(connection, found.c[name]) for name in columns]
    query = sa.select(*selected).where(*wanted(found, filters)).order_by(found.c.key)
    rows = connection.execute(query, execution_options={"yield_per": AT_ONCE})
    yield from rows.partitions(AT_ONCE)


def as_text(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Select days and times as the record contract writes them, and anything else as it is."""
    days = isinstance(column.type, sa.Date)
    if not days and not isinstance(column.type, sa.TypeDecorator):
        return column
    if connection.dialect.name == "sqlite":
        # It is what SQLite has.
        return sa.type_coerce(column, sa.Text)
    if days:
        return sa.func.to_char(column, "YYYY-MM-DD")
    return sa.func.to_char(sa.func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')


def wanted(table: sa.Table, filters: Filters) -> Where:
    """Say which records of a table are asked for."""
    if table is not MOVIES:
        return [*of_films(table.c.movie_slug, filters), *touched(table, filters)]
    where = of_films(MOVIES.c.slug, filters)
    if filters.since:
        # And the films of what is new.
        reviews = (
            MOVIES.c.slug.in_(sa.select(table.c.movie_slug).where(*touched(table, filters))) for table in REVIEWS
        )
        where.append(sa.or_(*touched(MOVIES, filters), *reviews))
    return where


def of_films(slug: sa.ColumnElement[str], filters: Filters) -> Where:
    """Say which films are asked for by themselves."""
    where: Where = []
    if filters.movie:
        # In the statement itself: no database takes a hundred thousand parameters.
        where.append(slug.in_(sa.bindparam("films", filters.movie, expanding=True, literal_execute=True)))
    if filters.year:
        released = RELEASE_YEAR.between(*filters.year)
        where.append(released if slug is MOVIES.c.slug else slug.in_(sa.select(MOVIES.c.slug).where(released)))
    return where


def touched(table: sa.Table, filters: Filters) -> Where:
    """Say which records are new, changed or gone since the time that is asked for."""
    times = (table.c.captured_at, table.c.first_seen_at, table.c.vanished_at)
    if not filters.since:
        return []
    # One that has come back has no time that says so.
    seen = sa.select(CHANGES.c.key).where(CHANGES.c.kind == table.name, CHANGES.c.seen_at >= filters.since)
    return [sa.or_(*(time >= filters.since for time in times), table.c.key.in_(seen))]


class Unread(NamedTuple):
    """A film of which only reviews were read."""

    slug: str
    layout: str
    source_url: str
    captured_at: str | None
    first_seen_at: str | None


def unread_films(connection: sa.Connection, filters: Filters) -> list[Unread]:
    """Name the films that have reviews and no record, with what is known from the first review."""
    found: dict[str, Unread] = {}
    for table in REVIEWS:
        film = table.c.movie_slug
        columns = (table.c.layout, table.c.source_url, table.c.captured_at, table.c.first_seen_at)
        query = (
            sa.select(film, *(as_text(connection, column) for column in columns))
            .where(film.not_in(sa.select(MOVIES.c.slug)), *wanted(table, filters))
            .order_by(table.c.key)
        )
        for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
            found.setdefault(row[0], Unread(*row))
    return [found[slug] for slug in sorted(found)]


def films(connection: sa.Connection, filters: Filters) -> set[str] | None:
    """Name the films that are asked for; none where all are."""
    if not filters.given:
        return None
    return set(connection.execute(film_names(filters)).scalars())


def film_names(filters: Filters) -> sa.CompoundSelect[str]:
    """Select the films that are asked for, those of which only reviews were read among them."""
    reviews = (sa.select(table.c.movie_slug).where(*wanted(table, filters)) for table in REVIEWS)
    return sa.union(sa.select(MOVIES.c.slug).where(*wanted(MOVIES, filters)), *reviews)


class About(NamedTuple):
    """What is known of all records that are asked for."""

    years: tuple[int, int] | None
    captured: tuple[dt.datetime, dt.datetime] | None
    layouts: dict[str, int]
    completeness: dict[str, int]
    missing: int
    authors: str


def describe(connection: sa.Connection, filters: Filters) -> About:
    """Sum up the records that are asked for."""
    layouts: Counter[str] = Counter()
    times: list[dt.datetime] = []
    for table in TABLES.values():
        time = table.c.captured_at
        query = sa.select(table.c.layout, sa.func.count(), sa.func.min(time), sa.func.max(time))
        for layout, number, *both in connection.execute(query.where(*wanted(table, filters)).group_by(table.c.layout)):
            layouts[layout] += number
            times += filter(None, both)
    year = RELEASE_YEAR
    first, last = connection.execute(
        sa.select(sa.func.min(year), sa.func.max(year)).where(*wanted(MOVIES, filters))
    ).one()
    lists = sa.select(COMPLETENESS.c.verdict, sa.func.count(), sa.func.sum(COMPLETENESS.c.missing))
    verdicts = connection.execute(lists.where(*of_lists(filters)).group_by(COMPLETENESS.c.verdict)).all()
    return About(
        years=(first, last) if first is not None else None,
        captured=(min(times), max(times)) if times else None,
        layouts=dict(sorted(layouts.items())),
        completeness={verdict: number for verdict, number, _ in sorted(verdicts)},
        missing=sum(int(missing) for verdict, _, missing in verdicts if verdict == SHORT),
        authors=connection.execute(sa.select(AUTHORS.c.policy)).scalar() or KEEP,
    )


def of_lists(filters: Filters) -> Where:
    """Say of which films lists of reviews count."""
    touched_films = [COMPLETENESS.c.film.in_(film_names(filters))] if filters.since else []
    return [*of_films(COMPLETENESS.c.film, filters), *touched_films]


class Lack(NamedTuple):
    """Why a database makes no whole dataset."""

    outcome: Outcome
    why: str


def lack(connection: sa.Connection, filters: Filters) -> Lack | None:
    """Tell why a dataset would not be whole, if it would not: by the last run, or by a list that a run left short.

    What archived and saved pages do not have leaves no run partial, and no dataset.
    """
    run = connection.execute(sa.select(RUNS).order_by(RUNS.c.id.desc()).limit(1)).first()
    if run and run.finished_at is None:
        outcome = outcome_of(run.outcome) or Outcome.PARTIAL
        return Lack(outcome, f"run {run.id} ({run.spider}, since {iso_timestamp(run.started_at)}) is not at its end")
    if run and run.outcome != Outcome.COMPLETE.label:
        ended = f"run {run.id} ({run.spider}, {iso_timestamp(run.finished_at)}) ended as {run.outcome}"
        return Lack(outcome_of(run.outcome) or Outcome.PARTIAL, ended)
    missing = sa.func.sum(COMPLETENESS.c.missing)
    short = (
        sa.select(RUNS.c.id, RUNS.c.spider, sa.func.count(), missing)
        .join(COMPLETENESS, COMPLETENESS.c.run == RUNS.c.id)
        .where(COMPLETENESS.c.verdict == SHORT, RUNS.c.outcome != Outcome.COMPLETE.label, *of_lists(filters))
        .group_by(RUNS.c.id, RUNS.c.spider)
        .order_by(RUNS.c.id.desc())
        .limit(1)
    )
    for number, spider, lists, reviews in connection.execute(short):
        is_short = f"run {number} ({spider}) left {lists:,} list{'s' * (lists != 1)} of reviews short, by {reviews:,}"
        return Lack(Outcome.PARTIAL, is_short)
    return None


def outcome_of(label: str | None) -> Outcome | None:
    """Give the outcome of a name."""
    return next((outcome for outcome in Outcome if outcome.label == label), None)
