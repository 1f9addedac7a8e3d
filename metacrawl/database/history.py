"""What a film's page has said over time: one entry per change, in whatever order the pages are read.

An entry holds from when to when the page is known to have said the same, with nothing else read in between.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from metacrawl.database.rows import PROVENANCE, Row, upsert
from metacrawl.database.schema import MOVIE_HISTORY
from metacrawl.items import Movie


def note(connection: sa.Connection, movies: Sequence[Movie]) -> None:
    """Enter what film pages say, each at its `captured_at`."""
    slugs = {movie.slug for movie in movies}
    known: dict[str, list[Row]] = {slug: [] for slug in slugs}
    chosen = sa.select(MOVIE_HISTORY).where(MOVIE_HISTORY.c.slug.in_(slugs))
    for row in connection.execute(chosen.order_by(MOVIE_HISTORY.c.captured_at)).mappings():
        known[row["slug"]].append(dict(row))
    for slug, before in known.items():
        after = before
        for movie in movies:
            if movie.slug == slug:
                after = entered(after, entry_of(movie))
        store(connection, before, after)


def entry_of(movie: Movie) -> Row:
    """Make the entry of one page."""
    when = movie.captured_at and movie.captured_at.replace(microsecond=0)
    says = {name: value for name, value in msgspec.to_builtins(movie).items() if name not in PROVENANCE}
    return {
        "slug": movie.slug,
        "captured_at": when,
        "last_captured_at": when,
        "layout": movie.layout,
        "source_url": movie.source_url,
        "fields": says,
    }


def entered(entries: Sequence[Row], new: Row) -> list[Row]:
    """Put a new entry among others, which are in the order of time."""
    when = new["captured_at"]
    before = [entry for entry in entries if entry["last_captured_at"] < when]
    after = [entry for entry in entries if entry["captured_at"] > when]
    for around in entries[len(before) : len(entries) - len(after)]:
        if around["fields"] == new["fields"]:
            return list(entries)
        # Something else was said in between: of the rest, only both ends are sure.
        if around["captured_at"] < when:
            before.append(around | {"last_captured_at": around["captured_at"]})
        if around["last_captured_at"] > when:
            after.insert(0, around | {"captured_at": around["last_captured_at"]})
    if before and before[-1]["fields"] == new["fields"]:
        new = before.pop() | {"last_captured_at": when}
    if after and after[0]["fields"] == new["fields"]:
        new = new | {"last_captured_at": after.pop(0)["last_captured_at"]}
    return [*before, new, *after]


def store(connection: sa.Connection, before: Sequence[Row], after: Sequence[Row]) -> None:
    """Write what has changed of a film's entries."""
    kept = {entry["captured_at"] for entry in after}
    for gone in (entry for entry in before if entry["captured_at"] not in kept):
        its_own = MOVIE_HISTORY.c.slug == gone["slug"], MOVIE_HISTORY.c.captured_at == gone["captured_at"]
        connection.execute(sa.delete(MOVIE_HISTORY).where(*its_own))
    if changed := [entry for entry in after if entry not in before]:
        upsert(connection, MOVIE_HISTORY, changed)


def read(connection: sa.Connection) -> Iterator[Movie]:
    """Read all entries, film by film, the oldest first; each a record of what the film's page said from then on."""
    entries = sa.select(MOVIE_HISTORY).order_by(MOVIE_HISTORY.c.slug, MOVIE_HISTORY.c.captured_at)
    for row in connection.execute(entries).mappings():
        yield replace(msgspec.convert(row["fields"] | {name: row[name] for name in PROVENANCE}, Movie))
