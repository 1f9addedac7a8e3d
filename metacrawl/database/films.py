"""One film, several pages: the parts that its pages give become one record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa

from metacrawl.database.rows import PROVENANCE, Row, content, to_row, upsert
from metacrawl.database.schema import MOVIE_PARTS, MOVIES
from metacrawl.items import Movie, iso_timestamp
from metacrawl.urls import PageKind, parse

# What a kind of page says of a film: field → {value, changed: [run, captured_at], given: [run, captured_at]}, the value
# as in JSON, when it was first said and when last.
Part = dict[str, dict[str, Any]]

# What the details page knows better than the film's page.
DETAILS_FIRST = frozenset(
    {
        *("directors", "writers", "cast", "distributors", "production_companies"),
        *("countries", "languages", "release_date", "home_release_date"),
    }
)


def rank(page: str, field: str = "") -> int:
    """Order the kinds of page by how well they know a field."""
    if page == PageKind.DETAILS and field in DETAILS_FIRST:
        return 2
    return 1 if page == PageKind.MOVIE else 0


def save_films(connection: sa.Connection, run: int, movies: Sequence[Movie]) -> Counter[str]:
    """Store what pages say of films, as `metacrawl.database.records.save` stores records."""
    slugs = {movie.slug for movie in movies}
    rows = connection.execute(sa.select(MOVIES).where(MOVIES.c.slug.in_(slugs))).mappings()
    stored: dict[str, Row] = {row["slug"]: dict(row) for row in rows}
    parts: dict[str, dict[str, Part]] = {slug: {} for slug in slugs}
    for slug, page, fields in connection.execute(sa.select(MOVIE_PARTS).where(MOVIE_PARTS.c.slug.in_(slugs))):
        parts[slug][page] = fields
    counts: Counter[str] = Counter()
    for movie in movies:
        page = parse(movie.source_url).kind
        parts[movie.slug][page] = update(parts[movie.slug].get(page, {}), movie, run)
        old = stored.get(movie.slug)
        row = to_row(merge(parts[movie.slug], movie)) | {"seen_run": run}
        change = "new" if old is None else "unchanged" if content(old) == content(row) else "changed"
        if old and (
            change == "unchanged" or (old["seen_run"] == run and rank(page) < rank(parse(old["source_url"]).kind))
        ):
            # When and where it was first read like this stays, and within a run the film's page speaks for the rest.
            row |= {name: old[name] for name in PROVENANCE}
        stored[movie.slug] = row
        counts[change] += 1
    upsert(connection, MOVIES, list(stored.values()))
    rows_of_parts = [
        {"slug": slug, "page": page, "fields": part} for slug, pages in parts.items() for page, part in pages.items()
    ]
    upsert(connection, MOVIE_PARTS, rows_of_parts)
    return counts


def update(part: Part, movie: Movie, run: int) -> Part:
    """Note what a page says of a film now. What it does not say is no news."""
    said = msgspec.to_builtins(movie)
    now = dict(part)
    for field in said.keys() - PROVENANCE:
        value, before = said[field], part.get(field)
        given = [run, iso_timestamp(movie.captured_at)]
        if value in (None, []) or (before and before["given"] > given):
            continue
        changed = before["changed"] if before and before["value"] == value else given
        now[field] = {"value": value, "changed": changed, "given": given}
    return now


def merge(parts: Mapping[str, Part], latest: Movie) -> Movie:
    """Make one record of what the kinds of page say.

    The pages that have spoken since the last change count; among them the one that knows the field best, between
    equals the one that changed last. So a crawl that finds nothing new changes nothing, in whatever order it reads.
    """
    film = {name: value for name, value in msgspec.to_builtins(latest).items() if name in PROVENANCE}
    for field in {field for part in parts.values() for field in part}:
        says = {page: part[field] for page, part in parts.items() if field in part}
        news = max(said["changed"][0] for said in says.values())
        heard = (page for page, said in says.items() if said["given"][0] >= news)
        best = max(heard, key=lambda page: (rank(page, field), says[page]["changed"]))
        film[field] = says[best]["value"]
    # `convert` leaves what it was not given to the class, where `to_builtins` does not look.
    return replace(msgspec.convert(film, Movie))
