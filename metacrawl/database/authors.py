"""What a database keeps of authors: its policy, by which no other may be crawled, and those that are forgotten."""

import secrets
from collections.abc import Collection

import sqlalchemy as sa

from metacrawl.authors import KEEP, Authors, Forgotten, LeftOut
from metacrawl.database.connection import shown
from metacrawl.database.rows import insert, upsert
from metacrawl.database.schema import AUTHORS, FORGOTTEN, LEFT_OUT, RUNS
from metacrawl.outcome import ConfigError


def check(connection: sa.Connection, authors: Authors) -> None:
    """Raise `ConfigError` for a database that was first crawled with another policy, or another key."""
    first = connection.execute(sa.select(AUTHORS.c.policy, AUTHORS.c.key_check)).first()
    if first is None:
        # It is new, or from before there was a choice.
        policy = KEEP if connection.execute(sa.select(RUNS.c.id).limit(1)).first() else authors.policy
        first_check = authors.key_check
    else:
        policy, first_check = first
    database = shown(connection.engine.url)
    if policy != authors.policy:
        wrong = f"METACRAWL_AUTHORS={authors.policy}, but {database} was first crawled with METACRAWL_AUTHORS={policy}"
    elif first_check != authors.key_check:
        wrong = f"METACRAWL_AUTHORS_KEY is not the one that {database} was first crawled with"
    else:
        return
    raise ConfigError(f"{wrong}: set it back, or set METACRAWL_DATABASE_URL to another database")


def claim(connection: sa.Connection, authors: Authors) -> None:
    """Take the database for a policy, for good. Raises `ConfigError` as `check` does."""
    check(connection, authors)
    row = {"id": 1, "policy": authors.policy, "key_check": authors.key_check, "salt": secrets.token_hex(16)}
    # Another worker may do the same with other settings.
    connection.execute(insert(connection, AUTHORS).values(row).on_conflict_do_nothing())
    check(connection, authors)


def forgotten(connection: sa.Connection) -> Forgotten:
    """Read who is forgotten."""
    authors = frozenset(connection.execute(sa.select(FORGOTTEN.c.author)).scalars())
    return Forgotten(connection.execute(sa.select(AUTHORS.c.salt)).scalar() or "", authors)


def count_left_out(connection: sa.Connection, run: int, reviews: Collection[LeftOut]) -> None:
    """Note that a run has met reviews that are not stored, so that its lists are not short of them."""
    rows = {(review.film, review.review): vars(review) | {"seen_run": run} for review in reviews}
    if rows:
        upsert(connection, LEFT_OUT, list(rows.values()), newer="seen_run")
