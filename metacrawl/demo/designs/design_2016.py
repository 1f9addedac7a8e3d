"""The design of November 2016 to September 2023."""

from collections.abc import Mapping

from metacrawl.demo.designs.design import find_film, page_number
from metacrawl.demo.pages import Pages
from metacrawl.demo.world import World


class Design2016:
    """Full-width pages with a details page; user reviews a hundred a page, counted from 0."""

    name = "2016"

    def __init__(self, world: World) -> None:
        self.world, self.pages = world, Pages(world)

    def answer(self, path: str, query: Mapping[str, str]) -> str | None:
        """Render the page at a path."""
        found = find_film(self.world, path)
        if not found:
            return None
        film, page = found
        if page == "/user-reviews":
            number = page_number(query, 0)
            return None if number is None else self.pages.user_reviews(film, number, query.get("sort-by", ""))
        renderers = {
            "": self.pages.movie,
            "/details": self.pages.details,
            "/critic-reviews": self.pages.critic_reviews,
        }
        return renderers[page](film) if page in renderers else None

    def missing(self) -> str:
        """Render the error page."""
        return self.pages.error()
