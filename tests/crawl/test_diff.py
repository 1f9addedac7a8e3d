"""What changes on the site between two crawls, and nothing else, is what the database says has changed."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from metacrawl.demo.site import DemoSite

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def query(tmp_path):
    def ask(statement, *values):
        with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return ask


def test_exactly_what_was_edited_has_changed(scrapy, world, query):
    film = world.film("tin-orchestra")
    critic, user = film.critic_reviews[3], film.user_reviews[4]
    count = len(film.user_reviews)
    with DemoSite(world) as site:
        places = {"METACRAWL_SITE_URL": site.url, "METACRAWL_API_URL": site.api_url, "DOWNLOAD_DELAY": 0}

        def crawl():
            run = scrapy("crawl", "movies", "-a", f"movie={film.slug}", "-a", "update=full", **places)
            assert run.returncode == 0, run.stdout + run.stderr

        crawl()
        for table in ("movies", "critic_reviews", "user_reviews"):
            query(f"UPDATE {table} SET first_seen_at = ?", LONG_AGO)  # noqa: S608
        query("UPDATE runs SET started_at = ?", LONG_AGO)
        [(score,)] = query("SELECT metascore FROM movies")
        excerpts = dict(query("SELECT excerpt, key FROM critic_reviews"))
        [(posted,)] = query("SELECT text FROM user_reviews WHERE author = ?", user.author)

        film.metascore += 1
        first, critic.excerpt = critic.excerpt, "On second thoughts, no."
        user.text = "[bold]I take it all back."
        film.user_reviews.insert(0, replace(user, review_id="99999999", author="somebody-new", text="Here I am."))
        crawl()

    assert query("SELECT kind, key, field, old, new FROM changes ORDER BY kind DESC, field") == [
        ("user_reviews", f"{film.slug}/{user.author}", "text", json.dumps(posted), json.dumps(user.text)),
        ("movies", film.slug, "metascore", str(score), str(score + 1)),
        ("movies", film.slug, "user_review_count", str(count), str(count + 1)),
        ("critic_reviews", excerpts[first], "excerpt", json.dumps(first), json.dumps(critic.excerpt)),
    ]

    shown = scrapy("diff", "--since", "2020-01-02", "--movie", film.slug)
    assert (shown.returncode, shown.stderr) == (0, "")
    told, _, heads, _, numbers, *_ = shown.stdout.splitlines()
    assert told == "Since 2020-01-02T00:00:00Z: 1 new, 3 changed, 0 vanished, 0 returned, of 1 film"
    assert (heads.split(), numbers.split()) == (
        ["film", "new", "changed", "vanished", "returned"],
        [film.slug, "1", "3"],
    )
    assert any(line.split()[3:] == ["metascore", str(score), str(score + 1)] for line in shown.stdout.splitlines())
    assert '"[bold]I take it all back."' in shown.stdout
