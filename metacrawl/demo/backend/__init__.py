"""The JSON back end of the site since 2023: any path and query to an answer, as values."""

import re
from collections.abc import Mapping
from typing import cast

from metacrawl.demo.backend.composer import film_page, product_answer, reviews_page
from metacrawl.demo.backend.finder import find, search
from metacrawl.demo.backend.parts import Json
from metacrawl.demo.backend.reviews import Kind, PageSizes, RefusedError, review_list, stats, summary
from metacrawl.demo.world import Film, World

REVIEWS = re.compile(r"/reviews/metacritic/(critic|user)/movies/([^/]+)(/summary|/stats)?/web")
PRODUCT = re.compile(r"/movies/metacritic/([^/]+)/web")
PAGE = re.compile(r"/composer/metacritic/pages/(movies|movies-critic-reviews|movies-user-reviews)/([^/]+)/web")
SEARCH = re.compile(r"/finder/metacritic/search/([^/]+)/web")


class Backend:
    """Answers from a world as it is at the moment of asking."""

    def __init__(self, world: World, page_size: PageSizes | None = None) -> None:
        self.world = world
        self.page_size = page_size or PageSizes()
        self.tries = 0

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, Json]:
        """Give the status and the body for a decoded path (without the host's prefix) and its query."""
        try:
            return 200, self.body(path, query)
        except RefusedError as error:
            return error.status, {"errors": [{"code": error.status, "reason": error.reason}]}

    def body(self, path: str, query: Mapping[str, str]) -> Json:
        """Give the body of an answer. Raises `RefusedError`."""
        if path == "/finder/metacritic/web":
            self.tries += 1
            return find(self.world, query, self.tries)
        if found := SEARCH.fullmatch(path):
            return search(self.world, found[1], query)
        if found := PRODUCT.fullmatch(path):
            return product_answer(self.film(found[1]), query)
        if found := PAGE.fullmatch(path):
            return self.page(found[1], self.film(found[2]), query)
        if found := REVIEWS.fullmatch(path):
            return self.reviews(cast("Kind", found[1]), self.film(found[2]), found[3], query)
        raise RefusedError(404, "Route not found")

    def page(self, name: str, film: Film, query: Mapping[str, str]) -> Json:
        if name == "movies":
            return film_page(self.world, film)
        return reviews_page(film, "critic" if "critic" in name else "user", query)

    def reviews(self, kind: Kind, film: Film, part: str | None, query: Mapping[str, str]) -> Json:
        """Answer for one of a film's lists. Raises `RefusedError`."""
        if part == "/stats":
            return stats(film, kind, query)
        if film.broken_lists:
            raise RefusedError(500, "Internal Server Error")
        return summary(film, kind, query) if part else review_list(film, kind, query, self.page_size)

    def film(self, slug: str) -> Film:
        """Find a film by its present slug. Raises `RefusedError`: the back end knows no earlier ones."""
        try:
            return self.world.film(slug)
        except KeyError:
            raise RefusedError(404, "Not Found") from None
