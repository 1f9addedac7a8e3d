"""Reviews that the site no longer has: marked, not deleted."""

import sqlalchemy as sa

from metacrawl.completeness import COMPLETE, LISTS, has_moved
from metacrawl.database import changes, runs
from metacrawl.database.completeness import TABLES, read_totals
from metacrawl.database.records import lock_films
from metacrawl.database.rows import now
from metacrawl.database.schema import COMPLETENESS, LEFT_OUT, PROBLEMS
from metacrawl.database.visits import are_there
from metacrawl.urls import PageKind


def mark(connection: sa.Connection, run: int) -> None:
    """Mark what a run that is over has not met of lists that it has read to their end.

    What was taken for met without being read is met, so all others are of such lists.
    """
    for reviews in TABLES:
        mark_of(connection, run, reviews)
    gone = LEFT_OUT.c.seen_run < run, LEFT_OUT.c.film.in_(sa.select(complete(run, PageKind.USER_REVIEWS).c.film))
    connection.execute(sa.delete(LEFT_OUT).where(*gone))


def mark_of(connection: sa.Connection, run: int, reviews: PageKind) -> None:
    """Mark reviews of a kind."""
    table = TABLES[reviews]
    lists = complete(run, reviews)
    # What another run has found since this one read the list is no loss.
    was_there = sa.or_(table.c.first_seen_at.is_(None), table.c.first_seen_at < runs.started_at(connection, run))
    unmet = sa.and_(table.c.seen_run < run, table.c.vanished_at.is_(None), was_there)
    query = sa.select(table.c.movie_slug).distinct().join(lists, lists.c.film == table.c.movie_slug).where(unmet)
    films = sorted(connection.execute(query).scalars())
    if connection.dialect.name == "postgresql":
        lock_films(connection, films)
    when = now()
    for film in films:
        # What is taken away meanwhile moves others to a page that was read already.
        if has_moved(read_totals(connection, run, {film})[film, reviews]):
            continue
        marked = sa.update(table).where(are_there(table, film), unmet).values(vanished_at=when).returning(table.c.key)
        changes.note_vanished(connection, run, table, connection.execute(marked).scalars().all(), when)


def complete(run: int, reviews: PageKind) -> sa.Subquery:
    """Select the films whose list of a kind is complete in a run, without a page that went wrong.

    One that is suddenly empty is believed only if all pages agree.
    """
    pages = [kind.value for kind in LISTS[reviews]]
    wrong = sa.select(PROBLEMS.c.film).where(PROBLEMS.c.run == run, PROBLEMS.c.kind.in_(pages))
    believed = sa.or_(COMPLETENESS.c.agree, COMPLETENESS.c.stored > 0)
    lists = COMPLETENESS.c.run == run, COMPLETENESS.c.reviews == reviews.value, COMPLETENESS.c.verdict == COMPLETE
    was_read = COMPLETENESS.c.film.not_in(wrong.where(PROBLEMS.c.film.is_not(None)))
    return sa.select(COMPLETENESS.c.film).where(*lists, believed, was_read).subquery()
