import functools
import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from parsel import Selector

from metacrawl.demo.content import build_world
from metacrawl.demo.pages import Pages
from metacrawl.demo.world import World

Answer = tuple[int, http.client.HTTPMessage, str]


@pytest.fixture(scope="session")
def world() -> World:
    """Give the world that no test changes."""
    return build_world()


@pytest.fixture(scope="session")
def page(world: World) -> Callable[..., Selector]:
    """Give a function that renders and parses a film's page: `page("her", "user_reviews", 1)`."""
    pages = Pages(world)

    @functools.cache
    def parse(slug: str, kind: str = "movie", *more: object) -> Selector:
        return Selector(text=getattr(pages, kind)(world.film(slug), *more))

    return parse


@pytest.fixture
def get() -> Callable[[str, str], Answer]:
    """Give a function that asks for one path and follows no redirect."""

    def ask(site: str, path: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    return ask
