"""What each design of the site's pages can do, and what its pages' addresses mean."""

import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import unquote

from metacrawl.demo.world import Film, World

FILM_PATH = re.compile(r"/movie/([^/]+)(/[a-z-]+)?/?")


class Design(Protocol):
    """Renders the pages of one design, from a world as it is at the moment of asking."""

    name: str

    def answer(self, path: str, query: Mapping[str, str]) -> str | None:
        """Render the page at a path, percent-encoded or not; ``None`` where this design has none."""

    def missing(self) -> str:
        """Render the page that says that there is none."""


def find_film(world: World, path: str) -> tuple[Film, str] | None:
    """Tell which film a path is about, and which of its pages, `""` or `/user-reviews` or so."""
    found = FILM_PATH.fullmatch(unquote(path))
    if not found:
        return None
    try:
        return world.film(found[1]), found[2] or ""
    except KeyError:
        return None


def page_number(query: Mapping[str, str], first: int) -> int | None:
    """Read `page` out of a query; ``None`` where it is no number."""
    text = query.get("page", str(first))
    return int(text) if text.isascii() and text.isdecimal() else None
