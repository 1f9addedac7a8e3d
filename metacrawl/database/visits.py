"""When films were read to their end last, what their pages said, and what of them need not be read anew."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa

from metacrawl.database import runs
from metacrawl.database.completeness import TABLES
from metacrawl.database.rows import insert, now
from metacrawl.database.schema import LEFT_OUT, MOVIE_PARTS, MOVIES, VISITS
from metacrawl.items import Movie
from metacrawl.revisits import Visit
from metacrawl.urls import PageKind

# What a film's page says that moves with its reviews of each kind.
FIGURES = {
    PageKind.CRITIC_REVIEWS: (
        *("metascore", "critic_review_count"),
        *("critic_positive", "critic_mixed", "critic_negative"),
    ),
    PageKind.USER_REVIEWS: (
        *("user_score", "user_rating_count", "user_review_count"),
        *("user_positive", "user_mixed", "user_negative"),
    ),
}
ALL_FIGURES = frozenset(name for names in FIGURES.values() for name in names)


def find(connection: sa.Connection, read_for: str, films: Collection[str]) -> dict[str, Visit]:
    """Give the last visits of films, of those that were read to their end; none by a clock that was ahead."""
    columns = VISITS.c.film, VISITS.c.visited_at, VISITS.c.swept_at, VISITS.c.figures
    released = MOVIES.c.release_date, MOVIES.c.release_year
    query = sa.select(*columns, *released).join(MOVIES, MOVIES.c.key == VISITS.c.film, isouter=True)
    same = VISITS.c.read_for == read_for, VISITS.c.film.in_(films), VISITS.c.visited_at <= now()
    return {
        row.film: Visit(
            row.film, row.visited_at, row.swept_at, row.release_date or last_day(row.release_year), row.figures
        )
        for row in connection.execute(query.where(*same))
    }


def last_day(year: int | None) -> dt.date | None:
    return dt.date(year, 12, 31) if year else None


def begin(connection: sa.Connection, run: int, read_for: str, film: str) -> None:
    """Note that a run has begun to read a film."""
    statement = insert(connection, VISITS).values(film=film, read_for=read_for, met_run=run, figures={})
    same = VISITS.c.film, VISITS.c.read_for
    connection.execute(statement.on_conflict_do_update(index_elements=same, set_={"met_run": run}))


def spare(connection: sa.Connection, run: int, read_for: str, film: str) -> None:
    """Note that a run does without pages of a film."""
    same = VISITS.c.film == film, VISITS.c.read_for == read_for
    connection.execute(sa.update(VISITS).where(*same).values(spared_run=run))


def has_moved(visit: Visit, movie: Movie, reviews: PageKind) -> bool:
    """Tell whether a film's page says other numbers than at the last visit, of those that go with a kind of review."""
    return any(getattr(movie, name) != visit.figures.get(name) for name in FIGURES[reviews])


def said_before(connection: sa.Connection, film: str, page: PageKind) -> Mapping[str, Any]:
    """Give what a kind of page has said of a film, as `metacrawl.database.films.Part`."""
    part = MOVIE_PARTS.c.slug == film, MOVIE_PARTS.c.page == page.value
    return connection.execute(sa.select(MOVIE_PARTS.c.fields).where(*part)).scalar() or {}


def are_there(table: sa.Table, film: str) -> sa.ColumnElement[bool]:
    """Compare with the reviews of a film that the site still has, as far as is known; by the key, which is indexed."""
    return sa.and_(table.c.key >= f"{film}/", table.c.key < f"{film}0", table.c.vanished_at.is_(None))


def count_there(connection: sa.Connection, film: str, reviews: PageKind) -> int:
    """Count these; those that must not be stored, too."""
    table = TABLES[reviews]
    counts = [sa.select(sa.func.count()).select_from(table).where(are_there(table, film))]
    if reviews is PageKind.USER_REVIEWS:
        counts.append(sa.select(sa.func.count()).where(LEFT_OUT.c.film == film))
    return sum(connection.execute(count).scalar_one() for count in counts)


def meet_all(connection: sa.Connection, run: int, film: str, reviews: PageKind) -> Counter[str]:
    """Take all of them for met by a run; counts as `metacrawl.database.records.save` does."""
    table = TABLES[reviews]
    statement = sa.update(table).where(are_there(table, film), table.c.seen_run < run).values(seen_run=run)
    number = connection.execute(statement).rowcount
    if reviews is PageKind.USER_REVIEWS:
        theirs = LEFT_OUT.c.film == film, LEFT_OUT.c.seen_run < run
        connection.execute(sa.update(LEFT_OUT).where(*theirs).values(seen_run=run))
    return Counter({"unchanged": number, f"met/{table.name}": number})


def count_spared(connection: sa.Connection, run: int) -> int:
    """Count the films of which a run has not read all pages."""
    number: int = connection.execute(sa.select(sa.func.count()).where(VISITS.c.spared_run == run)).scalar_one()
    return number


def end(connection: sa.Connection, run: int, read_for: str, is_complete: Callable[[str], bool]) -> None:
    """Enter the visits of a run that is over; of what it has not read well it keeps none, so that all is read again."""
    # When the run began, not now: what it has read first is as old as that.
    began = runs.started_at(connection, run)
    part = sa.and_(MOVIE_PARTS.c.slug == VISITS.c.film, MOVIE_PARTS.c.page == PageKind.MOVIE.value)
    query = sa.select(VISITS, MOVIE_PARTS.c.fields).join(MOVIE_PARTS, part, isouter=True)
    same_run = query.where(VISITS.c.read_for == read_for, VISITS.c.met_run == run).order_by(VISITS.c.film)
    # All that is known of so many films is too much to be held at once.
    met = connection.execute(same_run, execution_options={"yield_per": 1000})
    rows = [
        {
            "its_film": row.film,
            "visited_at": last_of(began, row.visited_at) if is_complete(row.film) else None,
            "swept_at": row.swept_at if row.spared_run == run else last_of(began, row.swept_at),
            "figures": {
                name: said["value"]
                for name, said in (row.fields or {}).items()
                if name in ALL_FIGURES and said["given"][0] >= run
            },
        }
        for row in met
    ]
    same = VISITS.c.film == sa.bindparam("its_film"), VISITS.c.read_for == read_for
    if rows:
        connection.execute(sa.update(VISITS).where(*same), rows)


def last_of(began: dt.datetime, before: dt.datetime | None) -> dt.datetime:
    """Choose the later time, unless it is still to come: a clock was ahead."""
    return before if before and began < before <= now() else began
