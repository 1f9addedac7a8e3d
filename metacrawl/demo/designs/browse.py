"""Which films a page of the lists of films shows, in the designs since 2023."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from metacrawl.demo.backend.finder import LIMIT, ORDERS, OVERLAP
from metacrawl.demo.designs.design import page_number
from metacrawl.demo.world import Film, World

PATH = re.compile(r"/browse/movie/(?:all/all/(all-time|\d{4})/(?:(metascore|userscore|new|popular)/)?)?")
SORTS = {"metascore": "-metaScore", "userscore": "-userScore", "new": "-releaseDate", "popular": "-popularityCount"}


@dataclass(frozen=True)
class Listing:
    """One page of films; pages are counted from 1, ranks too."""

    path: str
    query: Mapping[str, str]
    films: list[Film]
    first_rank: int
    page: int
    pages: int


def browse(world: World, path: str, query: Mapping[str, str]) -> Listing | None:
    """Find the films of a page; ``None`` where the path is no list or the page is beyond its end."""
    found = PATH.fullmatch(unquote(path).rstrip("/") + "/")
    number = page_number(query, 1)
    if not found or number is None:
        return None
    years = years_of(query, found[1] or "all-time")
    genres = set(filter(None, query.get("genre", "").lower().split(",")))
    films = sorted(
        (
            film
            for film in world.films
            if years[0] <= film.year <= years[1] and (not genres or genres & {name.lower() for name in film.genres})
        ),
        key=ORDERS[SORTS[found[2] or "metascore"]],
    )
    # page 0 is page 1 once more
    page, pages = max(1, number), max(1, -(-len(films) // LIMIT))
    if page > pages:
        return None
    start = (page - 1) * LIMIT
    # neighbouring pages overlap, as in the finder
    shown = films[max(0, start - OVERLAP) : start + LIMIT]
    kept = {name: value for name, value in query.items() if name != "page"}
    return Listing(unquote(path), kept, shown, max(0, start - OVERLAP) + 1, page, pages)


def years_of(query: Mapping[str, str], path_part: str) -> tuple[int, int]:
    """Read the first and the last year; what is no year counts as none."""
    if path_part != "all-time":
        return int(path_part), int(path_part)
    first, last = query.get("releaseYearMin", ""), query.get("releaseYearMax", "")
    return int(first) if first.isdecimal() else 0, int(last) if last.isdecimal() else 9999
