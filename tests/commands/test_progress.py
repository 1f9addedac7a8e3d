"""The progress bar: there for a person at a terminal, not for a file."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.measured

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests/fixtures/2016"
CRAWL = [sys.executable, "-m", "scrapy", "crawl", "movies", "-a", "source=files", "-a", f"path={FIXTURES}"]


def crawl_at_a_terminal(tmp_path: Path, *more: str) -> str:
    """Crawl with standard error at a terminal; returns what a person sees there."""
    master, terminal = pty.openpty()
    environment = os.environ | {
        "METACRAWL_DATABASE_URL": f"sqlite:///{tmp_path / 'metacrawl.db'}",
        "METACRAWL_RUNS": str(tmp_path / "runs"),
        "TERM": "xterm",
        "COLUMNS": "200",
    }
    with subprocess.Popen(
        [*CRAWL, *more], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=terminal, close_fds=True
    ) as crawl:
        os.close(terminal)
        seen = b""
        while chunk := read(master):
            seen += chunk
        assert crawl.wait(timeout=60) == 0
    os.close(master)
    return seen.decode()


def read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the terminal is closed: how Linux tells the end
        return b""


def test_a_person_sees_files_pages_records_and_rate(tmp_path):
    seen = crawl_at_a_terminal(tmp_path, "-L", "WARNING")
    assert "6/6" in seen
    assert "6 pages" in seen
    assert "pages/s" in seen
    assert "records" in seen


def test_log_lines_stand_above_the_bar(tmp_path):
    seen = crawl_at_a_terminal(tmp_path, "-L", "INFO")
    before, _, after = seen.partition("Closing spider (finished)")
    assert "files" in before
    assert "pages/s" in after


def test_the_bar_can_be_switched_off(tmp_path):
    assert "pages/s" not in crawl_at_a_terminal(tmp_path, "-s", "METACRAWL_PROGRESS=0")


def test_a_file_gets_plain_lines(scrapy):
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={FIXTURES}")
    assert "\x1b" not in run.stderr
    assert "pages/s" not in run.stderr
    assert "Spider opened" in run.stderr
