"""One film, several pages: the parts that its pages give become one record."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa

from metacrawl.database import changes, history
from metacrawl.database.rows import PROVENANCE, fetch, judge, to_row, upsert
from metacrawl.database.schema import MOVIE_PARTS, MOVIES
from metacrawl.items import Movie
from metacrawl.urls import FILM_PAGES, PageKind, parse

# What a kind of page says of a film: field → {value (as in JSON), changed and given: [run, captured_at] (when it was
# first said and when last), source (where first)}.
Part = dict[str, dict[str, Any]]

# When a film was released; a design that shows no year beside the title has the date.
RELEASE_YEAR = sa.func.coalesce(MOVIES.c.release_year, sa.cast(sa.extract("year", MOVIES.c.release_date), sa.Integer))

# What the details page knows better than the film's page.
DETAILS_FIRST = frozenset(
    {
        *("directors", "writers", "cast", "distributors", "production_companies"),
        *("countries", "languages", "release_date", "home_release_date"),
    }
)
# The run of pages that were captured before any that was stored.
BEFORE_ALL = 0


def rank(page: str, field: str = "") -> int:
    """Order the kinds of page by how well they know a field."""
    if page == PageKind.DETAILS and field in DETAILS_FIRST:
        return 2
    return 1 if page in FILM_PAGES else 0


def save_films(connection: sa.Connection, run: int, movies: Sequence[Movie]) -> Counter[str]:
    """Store what pages say of films, as `metacrawl.database.records.save` stores records."""
    slugs = {movie.slug for movie in movies}
    stored = fetch(connection, MOVIES, slugs)
    parts: dict[str, dict[str, Part]] = {slug: {} for slug in slugs}
    for slug, page, fields in connection.execute(sa.select(MOVIE_PARTS).where(MOVIE_PARTS.c.slug.in_(slugs))):
        parts[slug][page] = fields
    said: dict[tuple[str, str], Part] = {}
    counts: Counter[str] = Counter()
    captures: list[Movie] = []
    differing: list[changes.Pair] = []
    for movie in movies:
        page, known = parse(movie.source_url).kind, parts[movie.slug]
        had_spoken = spoke_before(run, known.get(page, {}))
        if page in FILM_PAGES:
            captures.append(movie)
        counts.update(f"missing/{field}" for field in missing(known.get(page, {}), movie))
        known[page] = said[movie.slug, page] = update(known.get(page, {}), movie, speaks_in(run, movie, known))
        row, old = to_row(merge(known)) | {"seen_run": run}, stored.get(movie.slug)
        counts[f"met/{MOVIES.name}"] += old is None or old["seen_run"] != run
        change, stored[movie.slug] = judge(old, row)
        if old and had_spoken and change == "changed":
            differing.append((old, row | {"captured_at": movie.captured_at}))
        counts[change] += 1
    history.note(connection, run, captures)
    changes.note(connection, run, MOVIES, differing)
    upsert(connection, MOVIES, list(stored.values()))
    upsert(
        connection, MOVIE_PARTS, [{"slug": slug, "page": page, "fields": part} for (slug, page), part in said.items()]
    )
    return counts


def missing(part: Part, movie: Movie) -> Iterator[str]:
    """Name what this kind of page used to say of the film, and this page does not."""
    return (field for field in part if getattr(movie, field) in (None, []))


def spoke_before(run: int, part: Part) -> bool:
    """Tell whether a kind of page was read before a run: what it says for the first time is no change of the film."""
    return any(said["changed"][0] < run for said in part.values())


def speaks_in(run: int, movie: Movie, known: Mapping[str, Part]) -> int:
    """Tell as of which run a page counts: one of before what another run has read says nothing against that."""
    others = (said["given"] for part in known.values() for said in part.values() if said["given"][0] != run)
    newest = max((captured_at for _, captured_at in others), default="")
    return run if msgspec.to_builtins(movie.captured_at) >= newest else BEFORE_ALL


def update(part: Part, movie: Movie, run: int) -> Part:
    """Note what a page says of a film now. What it does not say is no news."""
    said = msgspec.to_builtins(movie)
    now = dict(part)
    for field in said.keys() - PROVENANCE:
        value, before = said[field], part.get(field)
        given = [run, said["captured_at"]]
        if before and before["given"] > given:
            if before["given"][1] >= given[1]:
                continue
            # A run that was resumed after a later one knows more than that.
            given[0] = before["given"][0]
        if value in (None, []):
            continue
        if before and before["value"] == value:
            now[field] = before | {"given": given}
        else:
            source = {name: said[name] for name in PROVENANCE}
            now[field] = {"value": value, "changed": given, "given": given, "source": source}
    return now


def merge(parts: Mapping[str, Part]) -> Movie:
    """Make one record of what the kinds of page say.

    The pages that have spoken since the last change count; among them the one that knows the field best, between
    equals the one that changed last. So a crawl that finds nothing new changes nothing, in whatever order it reads.
    The record's source is that of its last change; of one run the film's page speaks for all.
    """
    film: dict[str, Any] = {}
    last_change: list[Any] = []
    for field in {field for part in parts.values() for field in part}:
        says = {page: part[field] for page, part in parts.items() if field in part}
        news = max(said["changed"][0] for said in says.values())
        heard = (page for page, said in says.items() if said["given"][0] >= news)
        page, best = max(
            ((page, says[page]) for page in heard), key=lambda heard: (rank(heard[0], field), heard[1]["changed"])
        )
        film[field] = best["value"]
        run, captured_at = best["changed"]
        if (change := [run, rank(page), captured_at]) >= last_change:
            last_change = change
            film |= best["source"]
    # `convert` leaves what it was not given to the class, where `to_builtins` does not look.
    return replace(msgspec.convert(film, Movie))
