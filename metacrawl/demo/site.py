"""Serves a world over HTTP, on this machine only."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from threading import Thread
from types import TracebackType
from typing import Self

from aiohttp import web

from metacrawl.demo.content import build_world
from metacrawl.demo.pages import Pages
from metacrawl.demo.world import Film, World

HOST = "127.0.0.1"
ROBOTS = """User-agent: *
Allow: /movie
Disallow: /search
Disallow: /signup
Disallow: /login
Disallow: /user
"""


class Handlers:
    """Answers requests, each from the world as it is at that moment."""

    def __init__(self, world: World, requests: list[str]) -> None:
        self.world, self.requests, self.pages = world, requests, Pages(world)

    @web.middleware
    async def record(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Note what was asked, and answer what is not there with the site's error page."""
        self.requests.append(request.path_qs)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return html(self.pages.error(), status=404)

    async def index(self, _: web.Request) -> web.Response:
        return html(self.pages.index())

    async def robots(self, _: web.Request) -> web.Response:
        return web.Response(text=ROBOTS)

    async def movie(self, request: web.Request) -> web.Response:
        return html(self.pages.movie(self.film(request)))

    async def details(self, request: web.Request) -> web.Response:
        return html(self.pages.details(self.film(request)))

    async def critic_reviews(self, request: web.Request) -> web.Response:
        return html(self.pages.critic_reviews(self.film(request)))

    async def user_reviews(self, request: web.Request) -> web.Response:
        film, number = self.film(request), request.query.get("page", "0")
        if not number.isdecimal():
            raise web.HTTPNotFound
        page = self.pages.user_reviews(film, int(number), request.query.get("sort-by", ""))
        if page is None:
            raise web.HTTPNotFound
        return html(page)

    def film(self, request: web.Request) -> Film:
        """Find the film of a request, else raise the answer: gone to another slug, or not there."""
        slug = request.match_info["slug"]
        if new := self.world.renamed().get(slug):
            url = request.rel_url.with_path("/".join(["/movie", new, *request.path.split("/")[3:]]))
            raise web.HTTPMovedPermanently(url.with_query(request.rel_url.query))
        try:
            return self.world.film(slug)
        except KeyError:
            raise web.HTTPNotFound from None


def make_app(world: World, requests: list[str]) -> web.Application:
    """Make the application; `requests` gets the path and query of each request, in order."""
    handlers = Handlers(world, requests)
    app = web.Application(middlewares=[handlers.record])
    app.router.add_get("/", handlers.index)
    app.router.add_get("/robots.txt", handlers.robots)
    for path, handler in {
        "": handlers.movie,
        "/details": handlers.details,
        "/critic-reviews": handlers.critic_reviews,
        "/user-reviews": handlers.user_reviews,
    }.items():
        app.router.add_get("/movie/{slug}" + path + "{slash:/?}", handler)
    return app


def html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


class DemoSite:
    """Serves a world from a thread of its own while the ``with`` block runs.

    The world may be changed meanwhile: pages are rendered anew for each request.
    """

    def __init__(self, world: World | None = None, *, port: int = 0) -> None:
        self.world = world or build_world()
        self.port = port
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """The site's address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Start to listen; raises ``OSError`` where the port is in use."""
        listener = socket.create_server((HOST, self.port))
        self.port = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="demo site")
        self._thread.start()
        # idle connections of clients that keep them need not be waited for
        self._runner = web.AppRunner(make_app(self.world, self.requests), access_log=None, shutdown_timeout=1)
        asyncio.run_coroutine_threadsafe(self._serve(listener), self._loop).result()
        return self

    async def _serve(self, listener: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
