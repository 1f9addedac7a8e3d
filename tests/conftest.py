"""What all tests share: the real saved pages, and the real command."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED_PAGES = ROOT.parent / "shared" / "pages"

Scrapy = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared_pages() -> Path:
    """The real saved pages: beside the checkout, required in CI, else skipped with a message."""
    if not SHARED_PAGES.is_dir():
        message = "the real saved pages are missing: ../shared/pages"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return SHARED_PAGES


@pytest.fixture
def scrapy(tmp_path: Path) -> Scrapy:
    """The `scrapy` command in a process of its own, with a database of the test's own.

    Arguments are those of the command, keywords are settings. Standard output and error come back as text. A warning is
    an error, but for those whose message starts with `allowed_warning`.
    """

    def run(
        *arguments: str | Path, allowed_warning: str = "none", **settings: object
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("METACRAWL_")}
        environment["METACRAWL_DATABASE_URL"] = f"sqlite:///{tmp_path / 'metacrawl.db'}"
        environment["PYTHONPATH"] = str(ROOT)
        environment["COLUMNS"] = "250"
        given = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
        return subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-W",
                f"ignore:{allowed_warning}",
                "-m",
                "scrapy",
                *map(str, arguments),
                *given,
            ],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
