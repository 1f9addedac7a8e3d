"""The hosts that are left in peace for a while."""

import asyncio
import time
from contextlib import suppress
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import IgnoreRequest


class LeftError(IgnoreRequest):
    """The crawl ends before a request's turn has come: it is left for the next time."""


class Quiet:
    """Until when which host is asked nothing, by any request of this process, and how slowly after that."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}
        self.asked_at: dict[str, float] = {}
        self.gaps: dict[str, float] = {}
        """Seconds between two requests to a host, for now."""

        self.delays: dict[str, float] = {}
        """The same, as its robots.txt asks for."""

        self.over = asyncio.Event()

    def hold_back(self, host: str, seconds: float) -> None:
        """Ask a host nothing for some time; a short one does not cut a long one."""
        self.until[host] = max(self.until.get(host, 0), time.monotonic() + seconds)

    def end(self) -> None:
        """Ask nobody anything any more."""
        self.over.set()

    async def wait(self, host: str) -> None:
        """Wait until a host may be asked. Raises `LeftError` when the crawl ends first."""
        self.check()
        while (wait := self.turn(host) - time.monotonic()) > 0:
            await self.pause(wait)
        self.asked(host)

    def asked(self, host: str) -> None:
        """Take in that a host is being asked just now, or has just answered: a request may be late to leave."""
        self.asked_at[host] = time.monotonic()

    async def pause(self, seconds: float) -> None:
        """Wait for some time. Raises `LeftError` when the crawl ends first."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
        self.check()

    def check(self) -> None:
        if self.over.is_set():
            raise LeftError("the crawl ends")

    def is_held_back(self, host: str) -> bool:
        """Tell whether a host is to be asked nothing just now."""
        return self.until.get(host, 0) > time.monotonic()

    def turn(self, host: str) -> float:
        """Tell when a host may be asked next; that may change while somebody waits."""
        gap = max(self.gaps.get(host, 0), self.delays.get(host, 0))
        return max(self.until.get(host, 0), self.asked_at.get(host, 0) + gap)


def host_of(request: Request) -> str:
    """Tell whose server is asked."""
    return urlsplit(request.url).hostname or ""
