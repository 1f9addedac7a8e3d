"""Who looks sees each new dataset, which Datasette alone would not."""

import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from metacrawl.dataset.publish import publishing
from tests.crawl.waiting import wait_for
from tests.postgres import free_port

ROOT = Path(__file__).parent.parent.parent
SERVE = ROOT / "deploy" / "look" / "serve.py"


def publish(folder, title):
    """Put a dataset in the place of the one before, as an export does."""
    with (
        publishing(folder / "dataset") as version,
        closing(sqlite3.connect(version / "metacrawl.sqlite")) as connection,
    ):
        connection.execute("CREATE TABLE movies (title TEXT)")
        connection.execute("INSERT INTO movies VALUES (?)", (title,))
        connection.commit()


@contextmanager
def running(*command):
    """Start what serves; gives what asks it for a page."""
    port = free_port()
    with subprocess.Popen([sys.executable, *map(str, command), "--port", str(port)], stderr=subprocess.DEVNULL) as it:

        def ask(path):
            try:
                return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=10)
            except requests.ConnectionError:
                return None  # between two datasets

        try:
            wait_for(lambda: ask("-/versions.json") is not None, 60)
            yield it, ask
        finally:
            it.kill()


@contextmanager
def downloading(ask, folder):
    """Ask for a file that is large, and take no more than the beginning."""
    with (folder / "large").open("wb") as file:
        file.truncate(100_000_000)
    host, _, port = ask("").url.removeprefix("http://").rstrip("/").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /published/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield


def titles(ask):
    answer = ask("metacrawl.json?sql=select+title+from+movies&_shape=arrayfirst")
    return answer.json() if answer is not None and answer.ok else None


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "report.html").write_text("<p>All of it in figures", encoding="utf-8")
    return tmp_path


def test_each_new_dataset_is_shown_and_the_report_beside_it(folder):
    with running(SERVE, folder) as (it, ask):
        # Before the first night there is nothing, and that is shown.
        assert ask("").ok
        assert "All of it in figures" in ask("published/report.html").text
        publish(folder, "Her")
        wait_for(lambda: titles(ask) == ["Her"], 60)
        # Nor need it wait for somebody who never takes the rest of a download.
        with downloading(ask, folder):
            publish(folder, "Heat")
            wait_for(lambda: titles(ask) == ["Heat"], 60)
        assert ask("published/dataset/metacrawl.sqlite").ok
        assert ask("published/../../secret") is None or not ask("published/%2e%2e/secret").ok
        it.send_signal(signal.SIGTERM)
        assert it.wait(timeout=20) == 0
        assert ask("") is None


def test_datasette_alone_goes_on_with_the_old_one(folder):
    publish(folder, "Her")
    with running("-m", "datasette", "serve", "--immutable", folder / "dataset" / "metacrawl.sqlite") as (_, ask):
        assert titles(ask) == ["Her"]
        publish(folder, "Heat")
        assert titles(ask) == ["Her"]
