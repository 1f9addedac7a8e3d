"""What a film's page has said over time: one entry per change, in whatever order the pages are read.

A page that was fetched by the run itself is newer than all others, so an entry that says the same is prolonged to it.
Others, from the archive or from files, come in any order: each has an entry of its own, and the reader sees changes.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from metacrawl.database.rows import PROVENANCE, Row, upsert
from metacrawl.database.schema import MOVIE_HISTORY, RUNS
from metacrawl.items import Movie

# What a film's scores are, and what is behind them.
SCORES = (
    *("metascore", "critic_review_count", "critic_positive", "critic_mixed", "critic_negative"),
    *("user_score", "user_rating_count", "user_positive", "user_mixed", "user_negative", "user_review_count"),
)


def note(connection: sa.Connection, run: int, movies: Sequence[Movie]) -> None:
    """Enter what film pages say, each at its `captured_at`."""
    started_at = connection.execute(sa.select(RUNS.c.started_at).where(RUNS.c.id == run)).scalar()
    for movie in movies:
        entry = entry_of(movie)
        live = started_at is not None and entry["captured_at"] >= started_at
        upsert(connection, MOVIE_HISTORY, changes(entry_before(connection, entry), entry, live=live))


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


def entry_before(connection: sa.Connection, entry: Row) -> Row | None:
    """Find the film's last entry that begins at a time or before it."""
    its_own = MOVIE_HISTORY.c.slug == entry["slug"], MOVIE_HISTORY.c.captured_at <= entry["captured_at"]
    last = sa.select(MOVIE_HISTORY).where(*its_own).order_by(MOVIE_HISTORY.c.captured_at.desc()).limit(1)
    row = connection.execute(last).mappings().first()
    return dict(row) if row else None


def changes(before: Row | None, new: Row, *, live: bool) -> list[Row]:
    """Tell the entries that a new one changes, and itself."""
    if before is None or before["last_captured_at"] < new["captured_at"]:
        if before and live and before["fields"] == new["fields"]:
            return [before | {"last_captured_at": new["captured_at"]}]
        return [new]
    if before["fields"] == new["fields"]:
        return [before]
    # Something else was said in between: of the rest, both ends are sure.
    begin = before | {"last_captured_at": before["captured_at"]}
    end = before | {"captured_at": before["last_captured_at"]}
    return list({entry["captured_at"]: entry for entry in (begin, end, new)}.values())


def read(connection: sa.Connection) -> Iterator[Movie]:
    """Read all changes, film by film, the oldest first; each a record of what the film's page said from then on."""
    entries = sa.select(MOVIE_HISTORY).order_by(MOVIE_HISTORY.c.slug, MOVIE_HISTORY.c.captured_at)
    rows = connection.execute(entries).mappings()
    for _, same in groupby(rows, lambda row: (row["slug"], row["fields"])):
        first = next(same)
        yield replace(msgspec.convert(first["fields"] | {name: first[name] for name in PROVENANCE}, Movie))


def read_scores(connection: sa.Connection, films: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """Read the scores and counts over time, film by film, the oldest first; an entry for each change of any of them.

    Each says from when to when its numbers are known to have held, and where they were read first.
    """
    entries = sa.select(MOVIE_HISTORY).order_by(MOVIE_HISTORY.c.slug, MOVIE_HISTORY.c.captured_at)
    rows = connection.execute(entries, execution_options={"yield_per": 1000}).mappings()
    wanted = (row for row in rows if films is None or row["slug"] in films)
    for (slug, *scores), same in groupby(wanted, scores_of):
        first, *others = same
        last = others[-1] if others else first
        yield {
            "movie_slug": slug,
            "captured_at": first["captured_at"],
            "last_captured_at": last["last_captured_at"],
            "layout": first["layout"],
            "source_url": first["source_url"],
            **dict(zip(SCORES, scores, strict=True)),
        }


def scores_of(row: sa.RowMapping) -> list[Any]:
    """Name the film of an entry, and its scores and counts."""
    return [row["slug"], *(row["fields"].get(name) for name in SCORES)]
