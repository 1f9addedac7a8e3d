"""Serves a world over HTTP, on this machine only: the site, its JSON back end and an archive of it."""

import asyncio
import hashlib
import json
import socket
from collections.abc import Awaitable, Callable
from threading import Thread
from types import TracebackType
from typing import Self

from aiohttp import web

from metacrawl.demo.archive import Archive
from metacrawl.demo.backend import Backend
from metacrawl.demo.backend.reviews import PageSizes
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.pages import Pages
from metacrawl.demo.world import World

HOST = "127.0.0.1"
# The design that the site has now; its older ones stand in the archive.
TODAY = "2026"
BACKEND, ARCHIVE = "/backend", "/archive"
ROBOTS = """User-agent: *
Allow: /movie
Disallow: /search
Disallow: /signup
Disallow: /login
Disallow: /user
"""
NAMED_BOTS = ("GPTBot", "OAI-SearchBot", "CCBot", "SemrushBot")
ROBOTS_2026 = (
    "User-agent: *\n"
    + "".join(f"Disallow: /{path}\n" for path in ("search", "signup", "login", "user", "jl/", "8264/", "7336/"))
    + "".join(f"\nUser-agent: {bot}\nDisallow: /\n" for bot in NAMED_BOTS)
)


class Handlers:
    """Answers requests, each from the world as it is at that moment."""

    def __init__(self, site: "DemoSite") -> None:
        self.site, self.world, self.requests = site, site.world, site.requests
        self.design = designs(site.world)[site.design]
        self.backend = Backend(site.world, site.page_size)
        self.pages = Pages(site.world)

    @web.middleware
    async def record(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Note what was asked, and answer what is not there with the site's error page."""
        self.requests.append(request.path_qs)
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = html(self.design.missing(), status=404)
        if not isinstance(response, web.Response):
            return response
        if self.site.fault:
            response = self.site.fault(request.path_qs, response)
        return self.if_changed(request, response)

    def if_changed(self, request: web.Request, response: web.Response) -> web.Response:
        """Answer whoever has the page already only that it is still the same."""
        if response.status != 200 or not isinstance(response.body, bytes):
            return response
        response.etag = hashlib.sha256(response.body).hexdigest()[:32]
        if response.etag not in (request.if_none_match or ()):
            return response
        self.site.unchanged.append(request.path_qs)
        return web.Response(status=304, headers={"ETag": response.headers["ETag"]})

    async def index(self, _: web.Request) -> web.Response:
        return html(self.pages.index())

    async def robots(self, _: web.Request) -> web.Response:
        return web.Response(text=ROBOTS_2026 if self.design.name == "2026" else ROBOTS)

    async def film(self, request: web.Request) -> web.Response:
        """Answer with a film's page; raises the answer where the film has gone to another slug."""
        if new := self.world.renamed().get(request.match_info["slug"]):
            url = request.rel_url.with_path("/".join(["/movie", new, *request.path.split("/")[3:]]))
            raise web.HTTPMovedPermanently(url.with_query(request.rel_url.query))
        return await self.page(request)

    async def page(self, request: web.Request) -> web.Response:
        """Answer with a page; raises the answer that there is none."""
        text = self.design.answer(request.path, request.query)
        if text is None:
            raise web.HTTPNotFound
        return html(text)

    async def json(self, request: web.Request) -> web.Response:
        status, body = self.backend.answer(request.path.removeprefix(BACKEND), request.query)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return web.Response(text=text, status=status, content_type="application/json", charset="utf-8")


def make_app(handlers: Handlers, archive: Archive) -> web.Application:
    """Make the application: which path is answered by what."""
    app = web.Application(middlewares=[handlers.record])
    app.router.add_get("/", handlers.index)
    app.router.add_get("/robots.txt", handlers.robots)
    app.router.add_get("/movie/{slug}{rest:.*}", handlers.film)
    app.router.add_get("/browse/{rest:.*}", handlers.page)
    app.router.add_get(BACKEND + "/{rest:.*}", handlers.json)
    app.router.add_get(ARCHIVE + "/{rest:.*}", archive.handle)
    return app


def html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


class DemoSite:
    """Serves a world from a thread of its own while the ``with`` block runs.

    The world may be changed meanwhile: pages are rendered anew for each request.
    """

    def __init__(self, world: World | None = None, *, port: int = 0, design: str = TODAY) -> None:
        self.world = world or build_world()
        self.port = port
        self.design = design
        self.page_size = PageSizes()
        self.archive = Archive(self.world)
        self.requests: list[str] = []
        """The path and query of each request, in order."""

        self.unchanged: list[str] = []
        """Those of them that were answered with no page, for whoever asked has it already."""

        self.fault: Callable[[str, web.Response], web.Response] | None = None
        """What a test has come between the answer to a request (its path and query) and whoever asked."""

    @property
    def url(self) -> str:
        """The site's address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """The back end's address, to stand in place of its host."""
        return self.url + BACKEND

    @property
    def archive_url(self) -> str:
        """The web archive's address, to stand in place of its host."""
        return self.url + ARCHIVE

    def __enter__(self) -> Self:
        """Start to listen; raises ``OSError`` where the port is in use, ``KeyError`` where there is no such design."""
        app = make_app(Handlers(self), self.archive)
        listener = socket.create_server((HOST, self.port))
        self.port = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="demo site")
        self._thread.start()
        # idle connections of clients that keep them need not be waited for
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
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
