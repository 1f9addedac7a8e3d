"""What a run leaves behind, whoever ends it: its record in the database and as a file, and word of what is not well."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from aiohttp import web

from metacrawl.database.schema import RUNS

FAST = {"DOWNLOAD_DELAY": 0, "RETRY_TIMES": 1}


@pytest.fixture
def records(tmp_path):
    """Read the records of the test's database and of its folder, by run."""

    def read():
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'metacrawl.db'}")
        with engine.connect() as connection:
            stored = list(connection.execute(sa.select(RUNS.c.record).order_by(RUNS.c.id)).scalars())
        engine.dispose()
        files = sorted((tmp_path / "runs").glob("*.json"))
        return stored, [json.loads(path.read_text(encoding="utf-8")) for path in files]

    return read


@pytest.fixture
def webhook():
    """Takes what is posted."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.got, server.url = got, f"http://127.0.0.1:{server.server_port}/hook-1d5e"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_run_leaves_one_record_and_tells_what_is_not_well(scrapy, demo, films, records, webhook, tmp_path):
    failing = "/movie/tin-orchestra/critic-reviews"
    demo.fault = lambda path, answer: web.Response(status=500) if path.startswith(failing) else answer
    site = {"METACRAWL_SITE_URL": demo.url, "METACRAWL_WEBHOOK_URL": webhook.url}
    first = scrapy("crawl", "movies", "-a", films, **site, **FAST)
    assert first.returncode == 10, first.stderr
    [stored], [file] = records()
    assert file == stored
    assert [path.suffix for path in (tmp_path / "runs").iterdir() if path.is_file()] == [".json"]
    assert (stored["run"], stored["spider"], stored["outcome"], stored["exit_code"]) == (1, "movies", "partial", 10)
    assert stored["arguments"] == {"movie": films.removeprefix("movie=")}
    assert first.stdout.rstrip().endswith(stored["message"])
    assert stored["started_at"] <= stored["finished_at"]
    assert {"metacrawl", "Python", "Scrapy", "sqlite"} <= stored["versions"].keys()
    assert len(stored["processes"]) == 1
    assert stored["records"]["movies"] == stored["pages"]["2016/movie"] == 4
    assert stored["requests"] == {"failed": 1, "queued": 0, "at_work": 0}
    assert stored["responses"]["500"] == 2
    assert stored["retries"] == {"500 Internal Server Error": 1}
    assert stored["stored"]["new"] > 100
    assert stored["fields"]["2016/movie/Movie"]["of"] == 4
    assert stored["fields"]["2016/movie/Movie"]["filled"]["title"] == 4
    assert f"{demo.url}{failing}" in json.dumps(stored)
    # The monitors that fail are lines in the log, and the receiver gets the same; the exit code is the run's.
    [told] = webhook.got
    assert "outcome" in [one["monitor"] for one in told["failed"]]
    assert all(f"Monitor {one['monitor']}: {one['message']}" in first.stderr for one in told["failed"])
    assert told["run"]["run"] == 1
    assert "hook-1d5e" not in first.stderr + first.stdout + json.dumps(stored)

    # The same command asks for what failed: the run stays one, and so does its record.
    demo.fault = None
    second = scrapy("crawl", "movies", "-a", films, **site, **FAST)
    assert second.returncode == 0, second.stdout
    [stored], [file] = records()
    assert file == stored
    assert (stored["run"], stored["outcome"], stored["exit_code"]) == (1, "complete", 0)
    assert (len(stored["processes"]), stored["requests"]["failed"]) == (2, 0)
    assert ": Monitor " not in second.stderr
    assert len(webhook.got) == 1


def test_a_killed_process_is_part_of_the_record(killed, pages, scrapy, records):
    site = killed(2, pages, "movies", "-a", "movie=nightjar")
    assert records()[0] == [None]
    run = scrapy("crawl", "movies", "-a", "movie=nightjar", METACRAWL_SITE_URL=site.url, **FAST)
    assert run.returncode == 0, run.stdout
    [stored], [file] = records()
    assert file == stored
    assert len(stored["processes"]) == 2
    assert stored["records"]["movies"] == 1


def test_a_folder_that_cannot_be_written_is_named_and_the_run_is_complete(scrapy, fixture_page, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    page = fixture_page("user-reviews.html")
    files = ("-a", "source=files", "-a", f"path={page}")
    run = scrapy("crawl", "user_reviews", *files, METACRAWL_RUNS=tmp_path / "taken")
    assert run.returncode == 0, run.stdout
    says = f"The record of the run cannot be written to METACRAWL_RUNS={tmp_path / 'taken'}: File exists"
    assert says in run.stderr
