"""Reviews that the site no longer has: marked, not deleted."""

import sqlalchemy as sa

from metacrawl.completeness import COMPLETE, has_moved
from metacrawl.database import changes
from metacrawl.database.completeness import TABLES, read_totals
from metacrawl.database.records import lock_films
from metacrawl.database.rows import now
from metacrawl.database.schema import COMPLETENESS, LEFT_OUT
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
    unmet = sa.and_(table.c.seen_run < run, table.c.vanished_at.is_(None))
    query = sa.select(table.c.key, table.c.movie_slug).join(lists, lists.c.film == table.c.movie_slug).where(unmet)
    found = connection.execute(query).all()
    films = {film for _, film in found}
    said = read_totals(connection, run, films)
    # What is taken away meanwhile moves others to a page that was read already.
    steady = {film for film in films if not has_moved(said[film, reviews])}
    if connection.dialect.name == "postgresql":
        lock_films(connection, steady)
    when = now()
    for film in sorted(steady):
        keys = [key for key, its_film in found if its_film == film]
        marked = sa.update(table).where(table.c.key.in_(keys), unmet).values(vanished_at=when).returning(table.c.key)
        changes.note_vanished(connection, run, table, connection.execute(marked).scalars().all(), when)


def complete(run: int, reviews: PageKind) -> sa.Subquery:
    """Select the films whose list of a kind is complete in a run.

    One that is suddenly empty is believed only if all pages agree.
    """
    believed = sa.or_(COMPLETENESS.c.agree, COMPLETENESS.c.stored > 0)
    lists = COMPLETENESS.c.run == run, COMPLETENESS.c.reviews == reviews.value, COMPLETENESS.c.verdict == COMPLETE
    return sa.select(COMPLETENESS.c.film).where(*lists, believed).subquery()
