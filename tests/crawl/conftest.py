"""Sites on loopback, and what a crawl of them leaves in the database."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from metacrawl.database.connection import connect_to_read
from metacrawl.database.reading import read
from metacrawl.demo.content import build_world
from metacrawl.demo.pages import Pages as DemoPages
from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from metacrawl.items import RECORDS, Record
from tests.crawl.waiting import wait_for
from tests.serving import Serving

# A body; a status and a body, or, of a redirect, where to; what makes either.
Answer = bytes | tuple[int, bytes] | Callable[[], bytes | tuple[int, bytes]]

ROOT = Path(__file__).parents[2]
FILMS = ("nightjar", "the-cartographers-daughter", "tin-orchestra", "unfinished-weather")


class Pages(Serving):
    """A site made of given answers: path and query → body, status and body, or what makes either."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[str] = []
        self.times: list[float] = []
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pages.requests.append(self.path)
                pages.times.append(time.monotonic())
                answer = pages.answers.get(self.path, (404, b"not here"))
                answer = answer() if callable(answer) else answer
                status, body = answer if isinstance(answer, tuple) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if self.path == "/robots.txt" else "text/html")
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status < 400:
                    self.send_header("Location", body.decode())
                # Whoever asked may have been killed.
                with suppress(ConnectionError):
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Answer]], Pages]]:
    """Serve answers until the test ends."""
    opened: list[Pages] = []

    def open_site(answers: dict[str, Answer]) -> Pages:
        opened.append(Pages(answers).__enter__())
        return opened[-1]

    yield open_site
    for site in opened:
        site.__exit__()


@pytest.fixture(scope="session")
def whole_world() -> World:
    """Everything on the demo site."""
    return build_world()


@pytest.fixture(scope="session")
def large_world(whole_world: World) -> World:
    """The films of the demo's that carry a difficulty, and some more: two pages of a list of films."""
    return World(films=[*whole_world.films[:24], *whole_world.films[-2:]])


@pytest.fixture
def world(whole_world: World) -> World:
    """Four films of the demo's with many of the real pages' oddities, to be changed at will."""
    return World(films=[deepcopy(whole_world.film(slug)) for slug in FILMS])


@pytest.fixture
def demo(world: World) -> Iterator[DemoSite]:
    """The demo site with these films."""
    with DemoSite(world, design="2016") as site:
        yield site


@pytest.fixture
def films(tmp_path: Path) -> str:
    """All of them, as the argument `movie`."""
    path = tmp_path / "films.txt"
    path.write_text("\n".join(FILMS), encoding="utf-8")
    return f"movie=@{path}"


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[], list[Record]]:
    """Read all records of the test's database."""

    def records() -> list[Record]:
        engine = connect_to_read(f"sqlite:///{tmp_path / 'metacrawl.db'}")
        with engine.connect() as connection:
            found = [record for kind in RECORDS for record in read(connection, kind)]
        engine.dispose()
        return found

    return records


@pytest.fixture
def fixture_page(tmp_path: Path) -> Callable[[str], Path]:
    """Put a page of our own into a folder of the test's."""
    folder = tmp_path / "pages"
    folder.mkdir()

    def copy(name: str) -> Path:
        return Path(shutil.copy(Path(__file__).parent.parent / "fixtures/2016" / name, folder))

    return copy


@pytest.fixture
def pages(world: World) -> dict[str, bytes]:
    """The demo's pages of one film, by path and query."""
    return pages_of(world, "nightjar")


@pytest.fixture
def site_pages(world: World) -> dict[str, bytes]:
    """Those of all films."""
    return pages_of(world, *FILMS)


def pages_of(world: World, *films: str) -> dict[str, bytes]:
    """Render the demo's pages of films, by path."""
    demo, pages = DemoPages(world), {}
    for film in map(world.film, films):
        path = f"/movie/{film.slug}"
        pages[path] = demo.movie(film).encode()
        pages[f"{path}/details"] = demo.details(film).encode()
        pages[f"{path}/critic-reviews"] = demo.critic_reviews(film).encode()
        for number in count():
            page = demo.user_reviews(film, number, "date")
            if page is None:
                break
            query = f"sort-by=date&num_items=100{f'&page={number}' * bool(number)}"
            pages[f"{path}/user-reviews?{query}"] = page.encode()
    return pages


class Gate:
    """Holds the answer to the n-th page from when it was closed, robots.txt not counted, until it is opened."""

    def __init__(self, number: int) -> None:
        self.lock = threading.Lock()
        self.close(number)

    def close(self, number: int) -> None:
        """Begin to count."""
        self.number, self.asked = number, 0
        self.reached, self.opened = threading.Event(), threading.Event()

    def before(self, answer: Answer) -> Callable[[], bytes | tuple[int, bytes]]:
        """Put the gate before an answer."""

        def pass_through() -> bytes | tuple[int, bytes]:
            with self.lock:
                self.asked += 1
                opened = self.opened if self.asked == self.number else None
            if opened:
                self.reached.set()
                opened.wait(timeout=60)
            return answer() if callable(answer) else answer

        return pass_through


@pytest.fixture
def start(sqlite_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """The `scrapy` command, as in the fixture of that name, but it is not waited for; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str | Path, **settings: object) -> subprocess.Popen[str]:
        given = {name: str(value) for name, value in settings.items() if name.startswith("METACRAWL_")}
        others = [part for name in settings.keys() - given for part in ("-s", f"{name}={settings[name]}")]
        # With no delay at all, Scrapy asks for two pages at once where one is the limit.
        command = [sys.executable, "-m", "scrapy", *map(str, arguments), "-s", "DOWNLOAD_DELAY=0.01", *others]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("METACRAWL_")}
        ours = {"METACRAWL_DATABASE_URL": sqlite_url, "METACRAWL_RUNS": str(tmp_path / "runs")}
        environment = kept | ours | given | {"PYTHONPATH": str(ROOT)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes))
        return started[-1]

    yield run
    for crawl in started:
        crawl.kill()
        crawl.communicate()


@pytest.fixture
def requests(tmp_path: Path) -> Callable[[], list[str]]:
    """Read what the requests in the frontier of the test's database are at, while a crawl works on them."""

    def states() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection:
            return [state for (state,) in connection.execute("SELECT state FROM frontier")]

    return states


@pytest.fixture
def hold(serve, start, requests) -> Iterator[Callable[..., tuple[Pages, subprocess.Popen[str]]]]:
    """Start a crawl, of pages that are served, that waits for its n-th page and has stored all before."""
    gates: list[Gate] = []

    def run(
        number: int, pages: dict[str, Answer], *crawl: str, **settings: object
    ) -> tuple[Pages, subprocess.Popen[str]]:
        gates.append(gate := Gate(number))
        robots = {path: answer for path, answer in pages.items() if path == "/robots.txt"}
        site = serve({path: gate.before(answer) for path, answer in pages.items()} | robots)
        site.gate = gate
        process = start("crawl", *crawl, METACRAWL_SITE_URL=site.url, **settings)
        assert gate.reached.wait(timeout=60), process.communicate()
        wait_for(lambda: sum(state in {"done", "dead"} for state in requests()) == number - 1)
        return site, process

    yield run
    for gate in gates:
        gate.opened.set()


@pytest.fixture
def killed(hold) -> Callable[..., Pages]:
    """The same, and the crawl is killed while it waits; gives the site, which answers again."""

    def run(number: int, pages: dict[str, Answer], *crawl: str, **settings: object) -> Pages:
        site, process = hold(number, pages, *crawl, **settings)
        process.kill()
        process.wait(timeout=60)
        site.gate.opened.set()
        return site

    return run


@pytest.fixture
def hanging_crawl(hold, pages) -> tuple[subprocess.Popen[str], threading.Event]:
    """A crawl whose second page does not come until the event is set; it is running, and asked for that page."""
    site, process = hold(2, pages, "movies", "-a", "movie=nightjar")
    return process, site.gate.opened
