"""Serves the demo's web archive: its index (`cdx/search/cdx`) and the captures (`web/<time>id_/<URL>`)."""

import datetime as dt
import gzip
import math
import re
import time
from email.utils import format_datetime
from functools import cached_property

from aiohttp import web

from metacrawl.demo.cdx import CdxError, Query
from metacrawl.demo.snapshots import Capture, Snapshots
from metacrawl.demo.visits import snapshots
from metacrawl.demo.world import World

CDX = "cdx/search/cdx"
# some clients make one slash of the two behind the scheme
CAPTURE = re.compile(r"web/(?P<time>\d{1,14})(?P<form>[a-z]{2}_)?/(?P<url>(?:https?:/+)?.+)")
LINK = re.compile(r'((?:href|src|action)=")(/[^/"][^"]*|https?://[^"]*)"')
TOOLBAR = """<!-- BEGIN WAYBACK TOOLBAR INSERT -->
<div id="wm-ipp-base" lang="en"><div id="wm-ipp"><a href="/web/">Archive</a> <b>{timestamp}</b></div></div>
<!-- END WAYBACK TOOLBAR INSERT -->
"""
MINUTE = 60


class Archive:
    """The archive of a world as it is when the first request comes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cdx_limit_per_minute: int | None = None
        """How many look-ups in the index are answered in a minute; more get 429."""

        self.busy = 0
        """How many of the next requests get 429, whatever they ask for."""

        self.empty = 0
        """How many of the next requests get 200 and no content."""

        self.requests: list[str] = []
        self.cdx_times: list[float] = []
        """When the index was asked, by the monotonic clock, refused look-ups included."""

        self.answered: list[float] = []

    @cached_property
    def snapshots(self) -> Snapshots:
        return snapshots(self.world)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any path below the mount point, whose route ends in `{rest:.*}`."""
        self.requests.append(request.path_qs)
        base, rest = mounted(request)
        if rest.partition("?")[0] == CDX:
            self.cdx_times.append(time.monotonic())
        if self.busy:
            self.busy -= 1
            return too_many(1)
        if self.empty:
            self.empty -= 1
            return web.Response(text="")
        if rest.partition("?")[0] == CDX:
            return self.index(request)
        if match := CAPTURE.fullmatch(rest):
            return self.capture(base, match["time"], match["form"] or "", re.sub("^(https?:)/+", r"\1//", match["url"]))
        return not_archived(rest)

    def index(self, request: web.Request) -> web.Response:
        if wait := self.wait():
            return too_many(wait)
        given = {name: request.query.getall(name) for name in request.query}
        try:
            answer = Query(self.snapshots, given).answer()
        except CdxError as error:
            return web.Response(text=f"{error}\n", status=400)
        kind = "application/json" if "json" in given.get("output", ()) else "text/plain"
        response = web.Response(text=answer, content_type=kind)
        if "false" not in given.get("gzip", ()):
            response.enable_compression()
        return response

    def wait(self) -> int:
        """Tell for how many seconds the index takes no more look-ups."""
        now = time.monotonic()
        self.answered = [moment for moment in self.answered if moment > now - MINUTE]
        if self.cdx_limit_per_minute is not None and len(self.answered) >= self.cdx_limit_per_minute:
            return math.ceil(self.answered[0] + MINUTE - now)
        self.answered.append(now)
        return 0

    def capture(self, base: str, timestamp: str, form: str, url: str) -> web.Response:
        """Play the capture that is nearest to a time, from the address that has its own time."""
        # what leads to itself is passed over, else browsers would go in a circle
        captures = [capture for capture in self.snapshots.at(url) if not capture.circular]
        if not captures:
            return not_archived(url)
        try:
            asked = moment(timestamp)
        except ValueError:
            return web.Response(text=f"no such time: {timestamp}\n", status=400)
        nearest = min(captures, key=lambda capture: (abs(capture.time - asked), capture.time))
        if nearest.timestamp != timestamp:
            return web.Response(
                status=302, headers={"Location": f"{base}web/{nearest.timestamp}{form}/{nearest.original}"}
            )
        return self.play(nearest, base, form)

    def play(self, capture: Capture, base: str, form: str) -> web.Response:
        """Give a capture with the status that it was answered with, as it came (`id_`) or fit for a browser."""
        text, digest = self.snapshots.body(capture), self.snapshots.digest(capture)
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Memento-Datetime": format_datetime(capture.time, usegmt=True),
            "Link": f'<{capture.original}>; rel="original"',
            "X-Archive-Src": f"demo-{capture.timestamp[:4]}.warc.gz",
        }
        if capture.location:
            headers["Location"] = f"{base}web/{capture.timestamp}{form}/{capture.location}"
        status = 200 if capture.shows == "again" else int(capture.status)
        if form != "id_":
            text = for_browser(text.decode(), base, capture).encode()
        # a third of the pages was sent compressed, and is kept so
        elif digest < "K" and text:
            headers["Content-Encoding"] = "gzip"
            text = gzip.compress(text, mtime=0)
        return web.Response(body=text, status=status, headers=headers)


def mounted(request: web.Request) -> tuple[str, str]:
    """Split a request's address, still percent-encoded, in the path of the mount point and what is below."""
    resource = request.match_info.route.resource
    base = resource.canonical.partition("{")[0] if resource else "/"
    return base, request.raw_path.removeprefix(base)


def moment(timestamp: str) -> dt.datetime:
    """Read a time of 1 to 14 digits; what is missing is as early as can be. Raises ``ValueError`` where there is none.

    >>> moment("2014").isoformat()
    '2014-01-01T00:00:00+00:00'
    """
    return dt.datetime.strptime(f"{timestamp}{'10000101000000'[len(timestamp) :]}+0000", "%Y%m%d%H%M%S%z")


def for_browser(text: str, base: str, capture: Capture) -> str:
    """Put the toolbar in, and lead all links to the archive."""
    here = f"{base}web/{capture.timestamp}/"

    def led(match: re.Match[str]) -> str:
        url = match[2] if match[2].startswith("http") else f"https://www.metacritic.com{match[2]}"
        return f'{match[1]}{here}{url}"'

    text = LINK.sub(led, text)
    return re.sub("(<body[^>]*>)", lambda match: match[1] + TOOLBAR.format(timestamp=capture.timestamp), text, count=1)


def too_many(wait: int) -> web.Response:
    return web.Response(text="Too Many Requests\n", status=429, headers={"Retry-After": str(wait)})


def not_archived(url: str) -> web.Response:
    text = f"<html><body><h1>Not in the archive</h1><p>{len(url)} letters of address, and no capture.</p></body></html>"
    return web.Response(text=text, status=404, content_type="text/html")
