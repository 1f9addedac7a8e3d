"""The demo site, with answers that can be held back, delayed or refused for a while."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from metacrawl.demo.world import World
from tests.faults.crawls import Site

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GatedSite(Site):
    """The demo site, each of whose answers takes `latency` seconds, and longer where it is held back."""

    def __init__(self, world: World, latency: float = 0) -> None:
        super().__init__(world)
        self.latency = latency
        self.gates: dict[str, asyncio.Event] = {}
        self.pause: asyncio.Event | None = None
        self.failures: Counter[str] = Counter()
        """How many more times each path is answered with an error."""

        self.answered: Counter[str] = Counter()

    async def _serve(self, listener) -> None:
        # Behind the middleware that notes the request.
        self._runner.app.middlewares.append(self.guard)
        await super()._serve(listener)

    def __exit__(self, *exception) -> None:
        self.resume()
        for path in list(self.gates):
            self.release(path)
        super().__exit__(*exception)

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer when it may be."""
        path = request.path_qs
        await asyncio.sleep(self.latency)
        if self.pause:
            await self.pause.wait()
        if gate := self.gates.get(path):
            await gate.wait()
        if self.failures[path]:
            self.failures[path] -= 1
            raise web.HTTPInternalServerError
        try:
            return await handler(request)
        finally:
            # What the page says is settled now.
            self.answered[path] += 1

    def hold(self, path: str) -> None:
        """Answer no request for this path from now on."""
        self.gates[path] = asyncio.Event()

    def take_gate(self, path: str) -> Callable[[], object]:
        """Answer all to come; gives what answers those that wait."""
        return partial(self._loop.call_soon_threadsafe, self.gates.pop(path).set)

    def release(self, path: str) -> None:
        """Answer those that wait, and all to come."""
        self.take_gate(path)()

    def hold_all(self) -> None:
        """Answer nothing from now on."""
        self.pause = asyncio.Event()

    def resume(self) -> None:
        """Answer all that wait, and all to come."""
        if self.pause:
            self._loop.call_soon_threadsafe(self.pause.set)
            self.pause = None
