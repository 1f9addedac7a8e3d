"""The back end's lists of films: the finder, whose neighbouring pages overlap, and the search."""

from collections.abc import Callable, Mapping
from itertools import groupby
from random import Random

from metacrawl.demo.backend.links import address, component_meta
from metacrawl.demo.backend.parts import Json, row
from metacrawl.demo.backend.reviews import RefusedError, whole
from metacrawl.demo.world import Film, World

LIMIT = 24
OVERLAP = 2
MOVIE = "2"
ORDERS: dict[str, Callable[[Film], float]] = {
    "-metaScore": lambda film: -(film.metascore or 0),
    "-userScore": lambda film: -(film.user_score or 0),
    "-releaseDate": lambda film: -film.release_date.toordinal() if film.release_date else 0,
    "-popularityCount": lambda film: -film.ratings.total,
}


def find(world: World, query: Mapping[str, str], tries: int) -> Json:
    """Answer with a page of the films that a query asks for. Raises `RefusedError`.

    A page begins with the last two films of the one before, and films of equal rank change places from one try to
    the next; whoever reads all pages has each film.
    """
    order = query.get("sortBy", "-metaScore")
    if order not in ORDERS:
        raise RefusedError(400, "querystring.sortBy must be equal to one of the allowed values")
    films = sorted(matching(world, query), key=ORDERS[order])
    offset, limit = whole(query, "offset", 0, least=0), whole(query, "limit", LIMIT, least=1)
    repeated = films[max(0, offset - OVERLAP) : offset]
    fresh = shuffled_ties(films[offset : offset + limit], ORDERS[order], tries)
    items = [row(film) for film in ([*repeated, *fresh] if offset < len(films) else [])]
    return answer("/finder/metacritic/web", query, items, len(films), {"genres": query.get("genres"), "network": None})


def matching(world: World, query: Mapping[str, str]) -> list[Film]:
    """Select films by year and genre. Raises `RefusedError`."""
    first, last = whole(query, "releaseYearMin", 0, least=0), whole(query, "releaseYearMax", 9999, least=0)
    genres = {genre for genre in query.get("genres", "").split(",") if genre}
    if query.get("mcoTypeId", MOVIE) != MOVIE:
        return []
    return [
        film
        for film in world.films
        if first <= film.year <= last and (not genres or not genres.isdisjoint(film.genres))
    ]


def shuffled_ties(films: list[Film], order: Callable[[Film], float], tries: int) -> list[Film]:
    dice = Random(tries)  # noqa: S311 - an order, no secret
    groups = (list(group) for _, group in groupby(films, key=order))
    return [film for group in groups for film in dice.sample(group, len(group))]


def search(world: World, text: str, query: Mapping[str, str]) -> Json:
    """Answer with the films whose titles have all words of a text. Raises `RefusedError`."""
    words = text.lower().split()
    films = [film for film in world.films if all(word in film.title.lower() for word in words)]
    offset, limit = whole(query, "offset", 0, least=0), whole(query, "limit", LIMIT, least=1)
    items = [search_row(film) for film in films[offset : offset + limit]]
    return answer(f"/finder/metacritic/search/{text}/web", query, items, len(films), {})


def search_row(film: Film) -> Json:
    found = row(film) | {"mustSee": film.must_see, "mustWatch": False}
    del found["userScore"]
    return found


def answer(path: str, query: Mapping[str, str], items: list[Json], total: int, more: Json) -> Json:
    """Put a page of films together."""
    offset, limit = whole(query, "offset", 0, least=0), whole(query, "limit", LIMIT, least=1)

    def at(place: int | None) -> Json:
        if place is None:
            return {"href": None, "meta": None}
        count = max(0, min(limit, total - place))
        href = address(path, {**query, "offset": place, "limit": limit})
        return {"href": href, "meta": {"pageNum": place // limit + 1, "count": count}}

    links = {
        "self": at(offset),
        "prev": at(max(0, offset - limit) if offset else None),
        "next": at(offset + limit if offset + limit < total else None),
        "first": at(0),
        "last": at(max(0, total - 1) // limit * limit),
    }
    data = {"id": "5f0c3d7e-2a7b-4c61-9b0e-6d1f0a9c8e24", "totalResults": total, "items": items, **more}
    return {"data": data, "links": links, "meta": component_meta(query)}
