"""Serves the faults, and good films beside them, from a thread."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import Self

from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.world import Film, World
from tests.faults.site import answers, charset, markup, packing, state, transport  # noqa: F401 - each registers its faults
from tests.faults.site.faults import FAULTS, RESET, Answer, html

# An answer without an end ends here.
MOST = 64 * 1024 * 1024
GOOD_BETWEEN = 2
ROBOTS = html(b"User-agent: *\nDisallow: /search\n", kind="text/plain")


def films() -> list[str]:
    """List the films to ask for: behind each fault some good ones, so that no run takes the site for changed."""
    return [slug for fault in FAULTS for slug in (fault, *(f"good-{number}-{fault}" for number in range(GOOD_BETWEEN)))]


def world() -> World:
    """Make a film for each of them, no two alike."""
    small = build_world().film("three-small-bells")
    return World(films=[film(small, number, slug) for number, slug in enumerate(films())])


def film(small: Film, number: int, slug: str) -> Film:
    return replace(
        small,
        slug=slug,
        title=f"Bell {number}",
        site_id=900_000 + number,
        summary=f"Of bell {number}.",
        critic_reviews=[],
        user_reviews=[],
    )


class FaultSite:
    """The site; its address is on this machine only."""

    def __init__(self, robots: bytes = ROBOTS) -> None:
        self.robots = robots
        self.world = world()
        self.designs = designs(self.world)
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        """Start to listen."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, name="fault site")
        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(self.serve(listener), self.loop).result()
        return self

    async def serve(self, listener: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self.handle, sock=listener)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def stop(self) -> None:
        self.server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ", 2)[1].decode()
            self.requests.append(path)
            await self.send(writer, self.answer(path))
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        sent = 0
        async for part in parts(answer):
            if part == RESET:
                # Closing with nothing to linger for resets the connection.
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            writer.write(part)
            await writer.drain()
            sent += len(part)
            if sent > MOST:
                return

    def answer(self, path: str) -> Answer:
        """Make the answer to a request."""
        if path == "/robots.txt":
            return self.robots
        path = path.partition("?")[0]
        slug = path.removeprefix("/movie/").split("/")[0]
        design = FAULTS[slug].design if slug in FAULTS else "2026"
        page = self.designs[design].answer(path, {})
        if page is None:
            return html(b"<html>not here</html>", status="404 Not Found")
        return (
            FAULTS[slug].answer(page.encode()) if path == f"/movie/{slug}" and slug in FAULTS else html(page.encode())
        )


async def parts(answer: Answer) -> AsyncIterator[bytes]:
    if isinstance(answer, bytes):
        for start in range(0, len(answer), 65536):
            yield answer[start : start + 65536]
        return
    async for part in answer:
        yield part
