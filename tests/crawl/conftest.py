"""Sites on loopback, and what a crawl of them leaves in the database."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from metacrawl.database.connection import connect_to_read
from metacrawl.database.reading import read
from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from metacrawl.items import RECORDS, Record

# A body; a status and a body, or, of a redirect, where to; what makes either.
Answer = bytes | tuple[int, bytes] | Callable[[], bytes | tuple[int, bytes]]

FILMS = ("nightjar", "the-cartographers-daughter", "tin-orchestra", "unfinished-weather")


class Pages:
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
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


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


@pytest.fixture
def world(whole_world: World) -> World:
    """Four films of the demo's with many of the real pages' oddities, to be changed at will."""
    return World(films=[deepcopy(whole_world.film(slug)) for slug in FILMS])


@pytest.fixture
def demo(world: World) -> Iterator[DemoSite]:
    """The demo site with these films."""
    with DemoSite(world) as site:
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
