"""A site that wants a pause now and then, in every form in which a server can say so."""

import datetime as dt
import time
from email.utils import format_datetime

from aiohttp import web

from metacrawl.demo.world import World
from tests.faults.crawls import ROBOTS
from tests.faults.gates import GatedSite, Handler

# Seconds of the shortest pause where nothing is said: that of `tests.middlewares.quick`.
UNSAID = 0.25
FOR_EVER = "1000000000"


def date(seconds: float) -> str:
    """Give a time that is so far away, to the second before it."""
    return format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds), usegmt=True)


# The status, what the header is made by (none for no header), and how many seconds of pause it means.
FORMS = (
    (429, lambda: "1", 1.0),
    (503, lambda: "1", 1.0),
    # Seconds are cut off.
    (429, lambda: date(2), 1.0),
    (429, lambda: date(-3600), 0.0),
    (429, lambda: "0", 0.0),
    (429, lambda: "-5", UNSAID),
    (429, lambda: "soon", UNSAID),
    (429, lambda: None, UNSAID),
    (503, lambda: None, UNSAID),
)


class RefusingSite(GatedSite):
    """The demo site, which refuses the first request for each of its first pages, in another form each time.

    In the end it refuses one for ever.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.forms = [*FORMS, (429, lambda: FOR_EVER, float(FOR_EVER))]
        self.met: set[str] = {ROBOTS}
        self.pauses: list[tuple[float, float]] = []
        """From when to when it has wanted no requests."""

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a request for a page that was not asked for before."""
        if self.pause:
            await self.pause.wait()
        if request.path_qs in self.met or not self.forms:
            return await handler(request)
        self.met.add(request.path_qs)
        status, said, seconds = self.forms.pop(0)
        value, now = said(), time.monotonic()
        self.pauses.append((now, now + seconds))
        return web.Response(status=status, headers={} if value is None else {"Retry-After": value})

    @property
    def early(self) -> list[str]:
        """Tell what was asked for while it wanted no requests, and how long it had wanted none."""
        asked = zip(self.requests.times, self.requests, strict=True)
        return [
            f"{path} {at - start:.3f} s into a pause of {end - start:.3f} s"
            for at, path in asked
            for start, end in self.pauses
            if start < at < end
        ]
