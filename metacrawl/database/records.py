"""Storing records: the same record again changes nothing, an edited one is updated, two under one key are both kept."""

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

import sqlalchemy as sa

from metacrawl.database import changes
from metacrawl.database.films import save_films
from metacrawl.database.rows import Row, fetch, judge, to_row, upsert
from metacrawl.database.runs import oldest_open
from metacrawl.database.schema import TABLES
from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.keys import clash_key, identity, plain_key, same_review, told_apart

# What tells the locks of films from others in the database.
FILM_LOCKS = 2016
# Films share this many locks: a server holds some thousand at a time, and a run may end with more films than that.
LOCKS = 1024


def save(
    connection: sa.Connection,
    run: int,
    records: Sequence[Record],
    met_again: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Counter[str]:
    """Store records in the transaction of `connection`, as met by the run of that id.

    `met_again` are reviews that it has met as they are stored, by their table and key.

    Returns how many were `new`, `changed` and `unchanged`; `met/<table>`, how many the run had not met before; and
    `missing/<field>`, of how many films a kind of page no longer says what it used to.
    """
    if connection.dialect.name == "postgresql":
        keys = chain([record.key for record in records], *met_again.values())
        lock_films(connection, {key.partition("/")[0] for key in keys})
    counts: Counter[str] = Counter()
    if movies := [record for record in records if isinstance(record, Movie)]:
        counts += save_films(connection, run, movies)
    for kind in (CriticReview, UserReview):
        met = met_again.get(TABLES[kind].name, ())
        if reviews := [record for record in records if isinstance(record, kind)]:
            counts += save_reviews(connection, run, kind, reviews, met)
        if met:
            counts += meet(connection, run, TABLES[kind], met)
    return counts


def lock_films(connection: sa.Connection, slugs: Iterable[str]) -> None:
    """Let no other worker read and write the records of these films before this transaction is over.

    In an order that is the same in all workers, so that no two wait for each other.
    """
    for key in sorted({zlib.crc32(slug.encode()) % LOCKS for slug in slugs}):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FILM_LOCKS, key)))


def save_reviews(
    connection: sa.Connection, run: int, kind: type[Record], reviews: Sequence[Record], met_again: Collection[str]
) -> Counter[str]:
    table = TABLES[kind]
    keys = {key for review in reviews for key in (plain_key(review), clash_key(review))}
    stored = fetch(connection, table, keys)
    since = oldest_open(connection, run)
    met: dict[str, Row] = {}
    differing: list[changes.Pair] = []
    counts: Counter[str] = Counter()
    for review in reviews:
        key = place(review, stored, since, met_again)
        old = stored.get(key)
        counts[f"met/{table.name}"] += old is None or old["seen_run"] != run
        # A newer run that is at work, too, counts by it what it has met.
        seen_run = max(run, old["seen_run"]) if old else run
        row = to_row(review) | {"key": key, "seen_run": seen_run}
        if old and is_older(row, old):
            # Saved and archived pages come in any order.
            row = old | {"seen_run": seen_run}
        change, row = judge(old, row)
        if old and (change == "changed" or old["vanished_at"]):
            differing.append((old, row))
        stored[key] = met[key] = row
        counts[change] += 1
    changes.note(connection, run, table, differing)
    upsert(connection, table, list(met.values()))
    return counts


def meet(connection: sa.Connection, run: int, table: sa.Table, keys: Collection[str]) -> Counter[str]:
    """Note that a run has met reviews as they are stored; what another page of it has met, too, is counted there."""
    changes.note_returned(connection, run, table, keys)
    seen = table.c.seen_run
    statement = sa.update(table).where(table.c.key.in_(keys), seen != run)
    number = connection.execute(
        statement.values(seen_run=sa.case((seen > run, seen), else_=run), vanished_at=None)
    ).rowcount
    return Counter({"unchanged": number, f"met/{table.name}": number})


def find_keys(connection: sa.Connection, kind: type[Record], reviews: Sequence[Record]) -> list[str | None]:
    """Tell under which key each review is stored, if it is."""
    stored = fetch(
        connection, TABLES[kind], {key for review in reviews for key in (plain_key(review), clash_key(review))}
    )
    return [own_key(review, stored) for review in reviews]


def is_older(row: Row, other: Row) -> bool:
    """Tell whether a row was captured before another one; where one of them does not say when, it was not."""
    times = row["captured_at"], other["captured_at"]
    return None not in times and times[0] < times[1]


def place(review: Record, stored: Mapping[str, Row], since: int, met_again: Collection[str]) -> str:
    """Choose the key of a review among the rows under its key: its own row, a free one, or one that it replaces.

    A row that a run has met that is not older than `since`, or meets just now, stays with the other review that it
    holds.
    """
    if key := own_key(review, stored):
        return key
    plain = plain_key(review)
    taken = plain in met_again or (plain in stored and stored[plain]["seen_run"] >= since)
    return clash_key(review) if taken else plain


def own_key(review: Record, stored: Mapping[str, Row]) -> str | None:
    """Find the key under which this very review is stored."""
    for key in (plain_key(review), clash_key(review)):
        if key in stored and same_review(told_apart(type(review), stored[key]), identity(review)):
            return key
    return None
