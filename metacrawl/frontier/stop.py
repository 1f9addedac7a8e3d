"""A stop by a signal: in an orderly way if that is soon enough, else in one that loses nothing all the same."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from types import FrameType

logger = logging.getLogger(__name__)

# Seconds after a signal that pages have to end in an orderly way, and those after which the process ends however it is.
GRACE, END = 5.0, 7.0


class Stop:
    """Learns of SIGINT and SIGTERM, and bounds the time that Scrapy's own handling of them takes.

    `at_once` is called with the signal, `give_up` when the grace is over and downloads still hang; then the process
    gets the signal again, which ends it at once.
    """

    def __init__(self, at_once: Callable[[], None], give_up: Callable[[], Awaitable[None]]) -> None:
        self.at_once, self.give_up = at_once, give_up
        self.signal = 0
        self.loop = asyncio.get_running_loop()
        self.grace: asyncio.TimerHandle | None = None
        self.end: threading.Timer | None = None
        self.giving_up: asyncio.Task[None] | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            # Only the main thread may handle signals; a crawl elsewhere is stopped by its own program.
            if callable(handler) and threading.current_thread() is threading.main_thread():
                signal.signal(number, partial(self.receive, handler))

    def receive(self, handler: Callable[[int, FrameType | None], object], number: int, frame: FrameType | None) -> None:
        """Do what Scrapy does, and set the clock."""
        self.signal = number
        self.loop.call_soon_threadsafe(self.set_clock)
        if not self.end:
            self.end = threading.Timer(END, end_process, ("stopped by force", 128 + number))
            self.end.daemon = True
            self.end.start()
        handler(number, frame)

    def set_clock(self) -> None:
        self.at_once()
        self.grace = self.loop.call_later(GRACE, self.grace_is_over)

    def grace_is_over(self) -> None:
        logger.warning("Some pages have not come within %d s: they are left for the next time", GRACE)
        self.giving_up = self.loop.create_task(self.leave())

    async def leave(self) -> None:
        await self.give_up()
        signal.raise_signal(self.signal)

    def over(self) -> None:
        """Stop the clock of the grace: the run has ended, and the process is about to."""
        if self.grace:
            self.grace.cancel()


def end_process(why: str, code: int) -> None:
    """End without a farewell: what is stored is whole, and what is leased comes back."""
    # Nobody may be listening any more.
    with suppress(OSError):
        os.write(2, f"metacrawl: {why}; run the same command again to go on\n".encode())
    os._exit(code)
