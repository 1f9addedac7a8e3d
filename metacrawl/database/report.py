"""What `scrapy report` tells, counted by the database: a report on millions of reviews takes little memory."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import sqlalchemy as sa

from metacrawl.database import account
from metacrawl.database.connection import shown
from metacrawl.database.films import RELEASE_YEAR
from metacrawl.database.reading import count
from metacrawl.database.schema import (
    CHANGES,
    COMPLETENESS,
    CRITIC_REVIEWS,
    MOVIE_HISTORY,
    MOVIES,
    RUNS,
    TABLES,
    USER_REVIEWS,
)
from metacrawl.items import Record
from metacrawl.outcome import NothingError

# How many of each are named.
DISAGREEMENTS, HISTORIES, PUBLICATIONS, RUNS_SHOWN = 10, 6, 15, 10
# How many scores tell how generous a publication is.
LEAST_SCORES = 5
RECENT = dt.timedelta(days=30)

NUMBER: sa.Function[int] = sa.func.count()
TITLE = sa.func.coalesce(MOVIES.c.title, MOVIES.c.slug)

Row = Mapping[str, Any]


class Scores(NamedTuple):
    """The scores of one kind that films have; none is not 0."""

    films: Mapping[float, int]
    """How many films have each score."""

    tbd: int
    """How many have none, though there are reviews of them."""

    none: int
    """How many have neither."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that the report says."""

    database: str
    """Its URL as people may see it."""

    since: dt.datetime
    """From when on something is recent."""

    records: Mapping[str, int]
    """By table, like the next ones."""

    gone: Mapping[str, int]
    """How many of those the site has no more."""

    added: Mapping[str, int]
    """How many were stored first recently."""

    layouts: Mapping[str, Mapping[str, int]]
    """How many were read from each page design."""

    years: Mapping[int | None, int]
    """Films by their year of release, which may be unknown."""

    lists: Mapping[str, int]
    """Lists of reviews by their verdict."""

    missing: int
    """How many reviews the site says there are beyond those."""

    metascore: Scores
    user_score: Scores
    points: Sequence[Row]
    """Of all films with both scores: `metascore`, `user_score`, how many `films` have the two, a `title`."""

    disagreements: Sequence[Row]
    """The films whose scores are furthest apart: `title`, `metascore`, `user_score`, `difference` of 100."""

    histories: Sequence[tuple[str, Sequence[Row]]]
    """Titles of the films whose scores moved most often, and what they were: `captured_at` … `last_captured_at`."""

    publications: Sequence[Row]
    """The busiest ones: `publication`, `reviews` with a score, their `mean`, how far `above` the Metascores it is."""

    coverage: Mapping[str, Mapping[str, int]]
    """How many records of each table have each field."""

    runs: Sequence[account.Account]
    """The last ones, the last first."""

    changes: Sequence[Row]
    """Recent ones: which `field` of which table (`kind`), whether its new value is `empty`, how often (`number`)."""


def find(connection: sa.Connection, now: dt.datetime) -> Findings:
    """Read all that the report says. Raises `NothingError` for a database without a record."""
    records = {table.name: count(connection, kind) for kind, table in TABLES.items()}
    database = shown(connection.engine.url)
    if not any(records.values()):
        raise NothingError(f"there is nothing in {database}: crawl first")
    since = now - RECENT
    lists = connection.execute(
        sa.select(COMPLETENESS.c.verdict, NUMBER, sa.func.sum(COMPLETENESS.c.missing)).group_by(COMPLETENESS.c.verdict)
    ).all()
    return Findings(
        database=database,
        since=since,
        records=records,
        gone={table.name: count(connection, kind, table.c.vanished_at.is_not(None)) for kind, table in TABLES.items()},
        added={table.name: count(connection, kind, table.c.first_seen_at >= since) for kind, table in TABLES.items()},
        layouts=layouts(connection),
        years=years(connection),
        lists={verdict: number for verdict, number, _ in lists},
        missing=int(sum(missing for _, _, missing in lists)),
        metascore=scores(connection, MOVIES.c.metascore, CRITIC_REVIEWS),
        user_score=scores(connection, MOVIES.c.user_score, USER_REVIEWS),
        points=points(connection),
        disagreements=disagreements(connection),
        histories=histories(connection),
        publications=publications(connection),
        coverage={table.name: coverage(connection, kind) for kind, table in TABLES.items()},
        runs=last_runs(connection),
        changes=changes(connection, since),
    )


def rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


def numbers(connection: sa.Connection, query: sa.Select[Any, int]) -> dict[Any, int]:
    """Read how many there are of each value."""
    return dict(connection.execute(query).all())


def layouts(connection: sa.Connection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for table in TABLES.values():
        query = sa.select(table.c.layout, NUMBER).group_by(table.c.layout)
        for layout, number in connection.execute(query):
            found.setdefault(layout, dict.fromkeys((other.name for other in TABLES.values()), 0))[table.name] = number
    return dict(sorted(found.items()))


def years(connection: sa.Connection) -> dict[int | None, int]:
    return numbers(connection, sa.select(RELEASE_YEAR, NUMBER).group_by(RELEASE_YEAR))


def scores(connection: sa.Connection, score: sa.Column[Any], reviews: sa.Table) -> Scores:
    films = numbers(connection, sa.select(score, NUMBER).where(score.is_not(None)).group_by(score).order_by(score))
    reviewed = MOVIES.c.slug.in_(sa.select(reviews.c.movie_slug))
    unscored = numbers(connection, sa.select(reviewed, NUMBER).where(score.is_(None)).group_by(reviewed))
    return Scores(films, tbd=unscored.get(True, 0), none=unscored.get(False, 0))


def points(connection: sa.Connection) -> list[Row]:
    both = MOVIES.c.metascore, MOVIES.c.user_score
    query = sa.select(*both, NUMBER.label("films"), sa.func.min(TITLE).label("title"))
    there = (score.is_not(None) for score in both)
    return rows(connection, query.where(*there).group_by(*both).order_by(*both))


def disagreements(connection: sa.Connection) -> list[Row]:
    # Tenths have no exact form.
    difference = sa.cast(sa.func.round(10 * MOVIES.c.user_score), sa.Integer) - MOVIES.c.metascore
    query = sa.select(
        TITLE.label("title"), MOVIES.c.metascore, MOVIES.c.user_score, difference.label("difference")
    ).where(difference.is_not(None), difference != 0)
    return rows(connection, query.order_by(sa.func.abs(difference).desc(), MOVIES.c.key).limit(DISAGREEMENTS))


def histories(connection: sa.Connection) -> list[tuple[str, list[Row]]]:
    slug, says = MOVIE_HISTORY.c.slug, MOVIE_HISTORY.c.fields
    metascore, user_score = says["metascore"].as_integer(), says["user_score"].as_float()
    seen = [sa.func.count(score.distinct()) for score in (metascore, user_score)]
    moved_at_all = sa.or_(*(number > 1 for number in seen))
    query = sa.select(slug, sa.func.max(TITLE)).join(MOVIES, MOVIES.c.key == slug, isouter=True).group_by(slug)
    moved = connection.execute(
        query.having(moved_at_all).order_by((seen[0] + seen[1]).desc(), slug).limit(HISTORIES)
    ).all()
    times = MOVIE_HISTORY.c.captured_at, MOVIE_HISTORY.c.last_captured_at
    series = sa.select(*times, metascore.label("metascore"), user_score.label("user_score")).order_by(times[0])
    return [(title or film, rows(connection, series.where(slug == film))) for film, title in moved]


def publications(connection: sa.Connection) -> list[Row]:
    name, score = CRITIC_REVIEWS.c.publication, CRITIC_REVIEWS.c.score
    reviews = sa.func.count(score)
    above = sa.func.avg(score - MOVIES.c.metascore)
    query = sa.select(
        name,
        reviews.label("reviews"),
        sa.cast(sa.func.avg(score), sa.Double).label("mean"),
        sa.cast(above, sa.Double).label("above"),
    ).join(MOVIES, MOVIES.c.key == CRITIC_REVIEWS.c.movie_slug)
    known = name.is_not(None), (score - MOVIES.c.metascore).is_not(None)
    busiest = query.where(*known).group_by(name).having(reviews >= LEAST_SCORES).order_by(reviews.desc(), name)
    return rows(connection, busiest.limit(PUBLICATIONS))


def coverage(connection: sa.Connection, kind: type[Record]) -> dict[str, int]:
    """Count how many records have each field that a page can say something in; an empty list is nothing."""
    names = [field.name for field in fields(kind) if field.name in account.FIELDS[kind.__name__]]
    filled = []
    for column in (TABLES[kind].c[name] for name in names):
        is_list = isinstance(column.type, sa.JSON)
        filled.append(sa.func.count(sa.case((sa.cast(column, sa.Text) != "[]", 1)) if is_list else column))
    return dict(zip(names, connection.execute(sa.select(*filled)).one(), strict=True))


def last_runs(connection: sa.Connection) -> list[account.Account]:
    ids = connection.execute(sa.select(RUNS.c.id).order_by(RUNS.c.id.desc()).limit(RUNS_SHOWN)).scalars().all()
    return [account.give(connection, run) for run in ids]


def changes(connection: sa.Connection, since: dt.datetime) -> list[Row]:
    empty = (CHANGES.c.new == "null").label("empty")
    query = sa.select(CHANGES.c.kind, CHANGES.c.field, empty, NUMBER.label("number")).where(CHANGES.c.seen_at >= since)
    # By its name: to PostgreSQL the same comparison twice is not the same.
    what = "kind", "field", "empty"
    return rows(connection, query.group_by(*what).order_by(NUMBER.desc(), *what))
