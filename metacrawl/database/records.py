"""Storing records: the same record again changes nothing, an edited one is updated, two under one key are both kept."""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from metacrawl.database.films import save_films
from metacrawl.database.rows import Row, fetch, judge, to_row, upsert
from metacrawl.database.runs import oldest_open
from metacrawl.database.schema import TABLES
from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.keys import clash_key, identity, plain_key, same_review, told_apart

# What tells the locks of films from others in the database.
FILM_LOCKS = 2016


def save(connection: sa.Connection, run: int, records: Sequence[Record]) -> Counter[str]:
    """Store records in the transaction of `connection`, as met by the run of that id.

    Returns how many were `new`, `changed` and `unchanged`; `met/<table>`, how many the run had not met before; and
    `missing/<field>`, of how many films a kind of page no longer says what it used to.
    """
    if connection.dialect.name == "postgresql":
        lock_films(connection, {record.key.partition("/")[0] for record in records})
    counts: Counter[str] = Counter()
    if movies := [record for record in records if isinstance(record, Movie)]:
        counts += save_films(connection, run, movies)
    for kind in (CriticReview, UserReview):
        if reviews := [record for record in records if isinstance(record, kind)]:
            counts += save_reviews(connection, run, kind, reviews)
    return counts


def lock_films(connection: sa.Connection, slugs: Iterable[str]) -> None:
    """Let no other worker read and write the records of these films before this transaction is over.

    In an order that is the same in all workers, so that no two wait for each other.
    """
    for key in sorted({zlib.crc32(slug.encode()) for slug in slugs}):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FILM_LOCKS, key - 2**31)))


def save_reviews(connection: sa.Connection, run: int, kind: type[Record], reviews: Sequence[Record]) -> Counter[str]:
    table = TABLES[kind]
    keys = {key for review in reviews for key in (plain_key(review), clash_key(review))}
    stored = fetch(connection, table, keys)
    since = oldest_open(connection, run)
    met: dict[str, Row] = {}
    counts: Counter[str] = Counter()
    for review in reviews:
        key = place(review, stored, since)
        old = stored.get(key)
        counts[f"met/{table.name}"] += old is None or old["seen_run"] != run
        # A newer run that is at work, too, counts by it what it has met.
        seen_run = max(run, old["seen_run"]) if old else run
        row = to_row(review) | {"key": key, "seen_run": seen_run}
        if old and is_older(row, old):
            # Saved and archived pages come in any order.
            row = old | {"seen_run": seen_run}
        change, row = judge(old, row)
        stored[key] = met[key] = row
        counts[change] += 1
    upsert(connection, table, list(met.values()))
    return counts


def is_older(row: Row, other: Row) -> bool:
    """Tell whether a row was captured before another one; where one of them does not say when, it was not."""
    times = row["captured_at"], other["captured_at"]
    return None not in times and times[0] < times[1]


def place(review: Record, stored: Mapping[str, Row], since: int) -> str:
    """Choose the key of a review among the rows under its key: its own row, a free one, or one that it replaces.

    A row that a run has met that is not older than `since` stays with the other review that it holds.
    """
    plain, other = plain_key(review), clash_key(review)
    for key in (plain, other):
        if key in stored and same_review(told_apart(type(review), stored[key]), identity(review)):
            return key
    return other if plain in stored and stored[plain]["seen_run"] >= since else plain
