"""Removing an author, so that nothing is left and nothing comes back."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from metacrawl.authors import DROP, Authors, author_digest, review_digest
from metacrawl.database import changes, pages
from metacrawl.database.authors import forgotten
from metacrawl.database.connection import shown
from metacrawl.database.rows import insert, upsert
from metacrawl.database.schema import COMPLETENESS, FORGOTTEN, LEFT_OUT, PROBLEMS, RUNS, USER_REVIEWS
from metacrawl.forget import Name
from metacrawl.outcome import LockedError

# What is made of messages, which may tell of anything.
MESSAGES = (PROBLEMS.c.message, COMPLETENESS.c.why, RUNS.c.message, RUNS.c.record)
# How many reviews are removed with a statement.
AT_ONCE = 500


def forget(connection: sa.Connection, authors: Authors, given: str, *, elsewhere: bool) -> Counter[str] | None:
    """Remove an author, given by the name or the alias, and store nothing by that author any more.

    `elsewhere` tells whether there was anything outside the database. Returns what was removed; None, and remembers
    nobody, where there is nothing of such an author and never was.
    """
    known, alias = forgotten(connection), authors.alias_given(given)
    reviews = remove_reviews(connection, authors, alias, known.salt)
    messages = sum(remove_from_messages(connection, Name(name)) for name in {given, alias})
    if not (reviews or messages or elsewhere or known.has(alias)):
        return None
    remembered = insert(connection, FORGOTTEN).values(author=author_digest(known.salt, alias))
    connection.execute(remembered.on_conflict_do_nothing())
    return Counter({"user review": reviews, "message": messages})


def remove_reviews(connection: sa.Connection, authors: Authors, alias: str, salt: str) -> int:
    """Remove the reviews by an author; the runs that have met them still have."""
    rows = list(reviews_by(connection, authors, alias))
    left_out = {
        (row.movie_slug, review_digest(salt, row.movie_slug, alias, row.review_id)): row.seen_run for row in rows
    }
    if rows:
        upsert(
            connection,
            LEFT_OUT,
            [{"film": film, "review": review, "seen_run": run} for (film, review), run in left_out.items()],
            newer="seen_run",
        )
    keys = [row.key for row in rows]
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first : first + AT_ONCE]
        connection.execute(sa.delete(USER_REVIEWS).where(USER_REVIEWS.c.key.in_(some)))
        changes.forget(connection, USER_REVIEWS, some)
    pages.forget(connection, {row.movie_slug for row in rows})
    return len(rows)


def reviews_by(connection: sa.Connection, authors: Authors, alias: str) -> Iterator[Any]:
    """Find the reviews by an author; where no author is stored, the keys tell."""
    columns = USER_REVIEWS.c.key, USER_REVIEWS.c.movie_slug, USER_REVIEWS.c.review_id, USER_REVIEWS.c.seen_run
    if authors.policy != DROP:
        yield from connection.execute(sa.select(*columns).where(USER_REVIEWS.c.author == alias))
        return
    parts: dict[str, str] = {}
    for row in connection.execute(sa.select(*columns), execution_options={"yield_per": 1000}):
        film = row.movie_slug
        if film not in parts:
            parts[film] = f"{film}/{authors.key_part(film, alias)}"
        if f"{row.key}/".startswith(f"{parts[film]}/"):
            yield row


def remove_from_messages(connection: sa.Connection, name: Name) -> int:
    """Remove a name from messages; returns from how many."""
    removed = 0
    for column in MESSAGES:
        key = [*column.table.primary_key.columns]
        for *is_at, value in connection.execute(sa.select(*key, column).where(column.is_not(None))).all():
            without = name.removed_from(value, told=isinstance(value, str))
            if without != value:
                which = (part == at for part, at in zip(key, is_at, strict=True))
                connection.execute(sa.update(column.table).where(*which).values({column.name: without}))
                removed += 1
    return removed


def purge(engine: sa.Engine) -> None:
    """Write a SQLite file anew, for what is deleted stays in it until something else takes its place.

    Raises `LockedError` where somebody reads it.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise DBAPIError("VACUUM", None, error) from None
    finally:
        connection.close()
    if is_busy:
        raise LockedError(
            f"{shown(engine.url)} is being read: what was removed is still in its files; "
            "run the same command again when nobody reads it"
        )
