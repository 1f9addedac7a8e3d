"""A crawl in a process of its own that is killed at a chosen moment and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition, Thread
from typing import Protocol

from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from tests import warm

ROOT = Path(__file__).parents[2]
# Of a crawl that takes seconds.
PATIENCE = 120
ROBOTS = "/robots.txt"
# The films that carry the traps which matter to a crawl that is interrupted come first: earlier names, a list that
# moves, lists of many pages, two reviews under one key, users without an account, nothing at all.
FIRST = (
    "the-cartographers-daughter",
    "glass-meridian",
    "tin-orchestra",
    "the-salt-orchard",
    "unfinished-weather",
    "nightjar",
    "who-the-%-is-ada-marrow",
    "winter-ferry",
)


def some_films(number: int, copies: int = 0) -> World:
    """Make a world of that many of the demo's films, and of copies of one that has few reviews."""
    whole = build_world()
    first = [whole.film(slug) for slug in FIRST]
    films = [*first, *(film for film in whole.films if film.slug not in FIRST)][:number]
    small = whole.film("three-small-bells")
    return World(films=[*films, *(replace(small, slug=f"{small.slug}-{copy}") for copy in range(copies))])


def names_of(world: World) -> str:
    """List all that there is to ask for, one a line, each film by its earlier names as well."""
    return "\n".join(name for film in world.films for name in (*film.old_slugs, film.slug))


class Log(list[str]):
    """What the site was asked for, with the times; can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.changed = Condition()

    def append(self, path: str) -> None:
        """Note a request."""
        with self.changed:
            super().append(path)
            self.times.append(time.monotonic())
            self.changed.notify_all()

    def wake(self) -> None:
        """Have those who wait look again."""
        with self.changed:
            self.changed.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition, which is looked at with each request; tells whether it holds."""
        with self.changed:
            return self.changed.wait_for(until, seconds)


def repeats(requests: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Find each request for a page that had been asked for before: the places of the earlier one and of this one."""
    latest: dict[str, int] = {}
    for place, path in enumerate(requests):
        if path in latest and path != ROBOTS:
            yield latest[path], place, path
        latest[path] = place


def leads_on(path: str, world: World) -> bool:
    """Tell whether a page does nothing but lead to a film's new name."""
    return path in {f"/movie/{name}" for name in world.renamed()}


class Site(DemoSite):
    """The demo site, in a design, with a log that can be waited for."""

    def __init__(self, world: World, design: str = "2016") -> None:
        super().__init__(world, design=design)
        self.requests: Log = Log()


@dataclass(frozen=True)
class AtRequest:
    """So many seconds after the n-th request of a process, or at the next one if that is earlier."""

    requests: int
    then: float = 0

    def strike(self, crawl: "Crawl") -> "End | None":
        """Start a process and kill it then; gives its end if that came first."""
        return crawl.kill_at(self)

    def __str__(self) -> str:
        return f"{self.then:.3f} s after request {self.requests}"


@dataclass(frozen=True)
class End:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def complete(self) -> bool:
        """Whether it claims to have everything."""
        return self.code == 0 and self.stdout.rstrip().rsplit("\n", 1)[-1].startswith("complete: ")

    def __str__(self) -> str:
        errors = [line for line in self.stderr.splitlines() if " ERROR: " in line or " CRITICAL: " in line]
        tail = (errors or self.stderr.splitlines())[-3:]
        return " | ".join([f"exit code {self.code}", *self.stdout.splitlines()[-1:], *tail])


class Moment(Protocol):
    """When a process is to die."""

    def strike(self, crawl: "Crawl") -> End | None:
        """Start a process that dies then; gives its end if that came first."""


class Process(Protocol):
    """A process of Python's: one that was started anew, or one of `tests.warm`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...
    def send_signal(self, number: int, /) -> None: ...


class Crawl:
    """One command, to be started as often as it takes; its processes' output goes to files in `folder`."""

    def __init__(self, command: Sequence[object], log: Log, folder: Path) -> None:
        self.command = [str(part) for part in command]
        self.log, self.folder = log, folder
        self.starts = 0

    def start(self, command: Sequence[str] = ()) -> Process:
        """Start a process; whoever waits for the log learns of its end."""
        self.starts += 1
        out, err = self.outputs
        kept, ours = without_settings(command or self.command)
        process = run(kept, environment() | ours, out, err)

        def watch() -> None:
            process.wait()
            self.log.wake()

        Thread(target=watch, daemon=True).start()
        return process

    @property
    def outputs(self) -> tuple[Path, Path]:
        """Where the latest process writes to."""
        return self.folder / f"stdout-{self.starts}", self.folder / f"stderr-{self.starts}"

    @property
    def resumed(self) -> bool:
        """Whether the latest process said that it goes on with a run."""
        return self.outputs[0].read_text("utf-8").startswith("resuming run ")

    def kill_at(self, moment: AtRequest) -> End | None:
        """Start a process and kill it at a moment; gives its end if that came first."""
        before = len(self.log)
        process = self.start()

        def reached(requests: int) -> bool:
            return process.poll() is not None or len(self.log) - before >= requests

        try:
            if not self.log.wait(lambda: reached(moment.requests), PATIENCE):
                raise TimeoutError(f"no {moment.requests} requests in {PATIENCE} s: {self.end(process, -1)}")
            self.log.wait(lambda: reached(moment.requests + 1), moment.then)
            process.kill()
            return None if process.wait() == -signal.SIGKILL else self.end(process)
        finally:
            process.kill()
            process.wait()

    def run(self, command: Sequence[str] = ()) -> End:
        """Start a process, of another command where one is given, and let it come to its end."""
        process = self.start(command)
        try:
            return self.end(process, process.wait(PATIENCE))
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"no end in {PATIENCE} s: {self.end(process, -1)}") from None
        finally:
            process.kill()
            process.wait()

    def end(self, process: Process, code: int | None = None) -> End:
        out, err = self.outputs
        return End(process.wait() if code is None else code, out.read_text("utf-8"), err.read_text("utf-8"))


def run(command: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> Process:
    """Start a process; a module of this Python's has its imports of others' done."""
    warm_start = python("-m")
    if command[: len(warm_start)] == warm_start:
        module, *arguments = command[len(warm_start) :]
        return warm.start(module, arguments, environment=environment, stdout=out, stderr=err)
    with out.open("wb") as stdout, err.open("wb") as stderr:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout, stderr=stderr)


def without_settings(command: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Take our own settings off a command line, where a password is refused; gives the rest and them."""
    kept: list[str] = []
    ours = {}
    for part in command:
        name, _, value = part.partition("=")
        if name.startswith("METACRAWL_") and kept and kept[-1] == "-s":
            kept.pop()
            ours[name] = value
        else:
            kept.append(part)
    return kept, ours


def environment() -> dict[str, str]:
    """Make the environment of a crawl: no settings of the machine's, and no coverage, which would double its time."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METACRAWL_", "COV"))}
    return kept | {"PYTHONPATH": f"{ROOT / 'tests' / 'audit'}{os.pathsep}{ROOT}", "COLUMNS": "250"}


def python(*arguments: object) -> list[object]:
    """Make a command of this Python's, in which a warning is an error."""
    return [sys.executable, "-W", "error", *arguments]


def crawl_movies(site: str, films: Path, database: str, concurrency: int, **settings: object) -> list[object]:
    """Make the arguments behind `scrapy` that crawl all of the films of a file as fast as the machine allows."""
    settings = {
        "METACRAWL_SITE_URL": site,
        "METACRAWL_DATABASE_URL": database,
        "METACRAWL_RUNS": films.parent / "runs",
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        **settings,
    }
    given = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
    return ["crawl", "movies", "-a", f"movie=@{films}", "-a", "update=full", *given]
