"""The operator's nights with real parts: a schedule, Scrapyd, PostgreSQL, a webhook, a site that changes and breaks."""

import datetime as dt
import json
import os
import threading
from collections.abc import Iterator
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aiohttp import web

from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records, user_review_since_2023
from metacrawl.demo.world import Film, World
from metacrawl.items import UserReview
from tests import warm
from tests.block_pages import HTML
from tests.conftest import AUDIT, ROOT
from tests.deploy.scrapyd import PASSWORD, USERNAME, Scrapyd
from tests.faults.dataset_reader import Reader

FILM, OTHER = "tin-orchestra", "nightjar"
SCHEDULE = """
[night]
when = "30 2 * * *"
run = [
    "crawl movies -a movie=@{folder}/films.txt",
    "export --to {folder}/dataset --format parquet",
    "report --to {folder}/report.html",
]
"""
# What the crawls at Scrapyd have for their settings: metacrawl's own, at the pace of a test.
SETTINGS = "from metacrawl.settings import *\n\nDOWNLOAD_DELAY = 0.01\n"
CHALLENGE = HTML["a challenge that waits"]


class Webhook(ThreadingHTTPServer):
    """Takes what is posted."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                webhook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


def reviews(dataset: Path) -> dict[str, str]:
    """The user reviews that a dataset says are on the site."""
    query = f"SELECT key, text FROM '{dataset.resolve()}/user_reviews.parquet' WHERE vanished_at IS NULL"  # noqa: S608
    with duckdb.connect() as connection:
        return dict(connection.execute(query).fetchall())


def on_site(world: World) -> dict[str, str]:
    """Those that are there."""
    return {found.key: found.text for found in expected_records(world, "2026") if isinstance(found, UserReview)}


class Office:
    """A site, a Scrapyd, a database and a schedule, as an operator has them."""

    def __init__(self, folder: Path, site: DemoSite, webhook: Webhook, scrapyd: Scrapyd, database: str) -> None:
        self.folder, self.site, self.webhook, self.database = folder, site, webhook, database
        self.dataset, self.report = folder / "dataset", folder / "report.html"
        (folder / "films.txt").write_text(f"{FILM}\n{OTHER}\n", encoding="utf-8")
        (folder / "schedule.toml").write_text(SCHEDULE.format(folder=folder), encoding="utf-8")
        self.settings = {
            "METACRAWL_DATABASE_URL": database,
            "METACRAWL_RUNS": str(folder / "runs"),
            "METACRAWL_SCHEDULE": str(folder / "schedule.toml"),
            "METACRAWL_SCRAPYD_URL": scrapyd.url,
            "SCRAPYD_USERNAME": USERNAME,
            "SCRAPYD_PASSWORD": PASSWORD,
            "METACRAWL_WEBHOOK_URL": webhook.url,
        }

    def night(self) -> tuple[int, list[str]]:
        """Let a night pass; gives how it ended, and which pages the site was asked for."""
        self.site.requests.clear()
        self.report.unlink(missing_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("METACRAWL_")}
        ours = {"PYTHONPATH": f"{AUDIT}{os.pathsep}{ROOT}"} | self.settings
        ran = warm.run("scrapy", ["schedule", "--run", "night"], environment=kept | ours, timeout=300)
        assert self.report.exists(), ran.stderr
        return ran.returncode, [path for path in self.site.requests if path != "/robots.txt"]


@pytest.fixture
def office(database, egg, tmp_path) -> Iterator[Office]:
    """All of it, and the program at Scrapyd."""
    whole = build_world()
    world = World(films=[deepcopy(whole.film(slug)) for slug in (FILM, OTHER)])
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "quick.py").write_text(SETTINGS, encoding="utf-8")
    with DemoSite(world) as site, Webhook() as webhook:
        crawls = {
            "METACRAWL_DATABASE_URL": database,
            "METACRAWL_SITE_URL": site.url,
            "METACRAWL_API_URL": site.api_url,
            "METACRAWL_REVISIT_DAYS": '{"older": 0}',
            "SCRAPY_SETTINGS_MODULE": "quick",
            "PYTHONPATH": f"{AUDIT}{os.pathsep}{tmp_path / 'settings'}",
        }
        threading.Thread(target=webhook.serve_forever, kwargs={"poll_interval": 0.05}).start()
        with Scrapyd(tmp_path / "scrapyd", egg, **crawls) as scrapyd:
            site.page_size.most_users = 10
            yield Office(tmp_path, site, webhook, scrapyd, database)
        webhook.shutdown()


def change(world: World) -> tuple[str, str]:
    """Have two reviews come in, one be edited and one go; gives what the edited one says now, and whose that is."""
    film = world.film(FILM)
    edited, lost = film.user_reviews[3], film.user_reviews[5]
    edited.text = "On second thoughts, no."
    edited.saved_after = dt.datetime(2026, 11, 1, tzinfo=dt.UTC) - dt.datetime.combine(edited.date, dt.time(), dt.UTC)
    film.user_reviews.remove(lost)
    post(film, 1)
    post(film, 2)
    return edited.text, user_review_since_2023(film, edited).key


def post(film: Film, number: int) -> None:
    """Have somebody write a review, later than all others."""
    review = deepcopy(film.user_reviews[0])
    review.review_id, review.author, review.account = str(99_000_000 + number), f"latecomer{number}", True
    review.date, review.text = dt.date(2026, 11, 1), f"Better late than never, {number}."
    film.user_reviews.append(review)


def block(path: str, answer: web.Response) -> web.Response:
    """Let nobody in."""
    return answer if path == "/robots.txt" else web.Response(text=CHALLENGE, content_type="text/html")


def test_nights_of_an_operator(office, scrapy):
    world, settings = office.site.world, {"METACRAWL_DATABASE_URL": office.database}
    first = on_site(world)
    code, asked = office.night()
    assert code == 0
    assert reviews(office.dataset) == first

    with Reader(office.dataset, reviews, pause=0.5) as reader:
        # The site has changed: only that is asked for.
        before = dt.datetime.now(dt.UTC)
        text, key = change(world)
        second = on_site(world)
        code, asked_then = office.night()
        assert code == 0
        assert len(asked_then) < len(asked)
        assert [path for path in asked_then if OTHER in path] == [f"/movie/{OTHER}"]
        assert reviews(office.dataset) == second
        assert second[key] == text
        diff = scrapy("diff", "--since", f"{before:%Y-%m-%dT%H:%M:%SZ}", **settings).stdout
        assert ": 2 new, " in diff
        assert ", 1 vanished, " in diff
        assert text in diff
        assert office.webhook.got == []

        # The site turns everybody away: word goes out once, and what there is stays.
        office.site.fault = block
        code, _ = office.night()
        assert code == 11
        [told] = office.webhook.got
        assert told["job"]["name"] == "night"
        assert [(step["command"].split()[1], step["outcome"]) for step in told["steps"]] == [
            ("crawl", "blocked"),
            ("export", "blocked"),
            ("report", "complete"),
        ]
        assert told["steps"][0]["runbook"] == "docs/runbook.md#outcome-blocked"
        assert reviews(office.dataset) == second
        status = scrapy("status", **settings).stdout
        assert "night" in status
        assert "blocked" in status

        # It lets us in again, and all is there that has come meanwhile.
        office.site.fault = None
        post(world.film(OTHER), 3)
        code, _ = office.night()
        assert code == 0
        assert len(office.webhook.got) == 1
        assert reviews(office.dataset) == on_site(world)
    # Whoever read it meanwhile had one of these three.
    assert reader.faults == []
    assert reader.seen[:2] == [first, second]
    assert reader.seen[2:] in ([], [on_site(world)])
