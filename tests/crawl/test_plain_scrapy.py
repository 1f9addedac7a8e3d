"""Scrapy's own commands keep working in this project."""

import csv
import json

from metacrawl.cells import from_cell

KEPT = ["first_seen_at", "vanished_at"]


def test_the_shell_reads_a_page_and_leaves_no_database(scrapy, demo, tmp_path):
    run = scrapy("shell", f"{demo.url}/movie/nightjar", "-c", "response.status", "-L", "ERROR")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.strip().endswith("200")
    assert not (tmp_path / "metacrawl.db").exists()


def test_parse_shows_the_records_of_a_page(scrapy, demo):
    url = f"{demo.url}/movie/tin-orchestra/critic-reviews"
    arguments = ("--spider", "critic_reviews", "-a", "movie=tin-orchestra", "-L", "ERROR")
    # What the command itself makes of the callback is deprecated by its own library.
    own = "<function FilmSpider.parse"
    shown = scrapy("parse", url, *arguments, allowed_warning=own, METACRAWL_SITE_URL=demo.url)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "tin-orchestra" in shown.stdout
    assert "full_review_url" in shown.stdout


def test_the_spiders_are_listed(scrapy):
    assert scrapy("list").stdout.split() == ["critic_reviews", "movies", "user_reviews"]


def test_scrapys_own_csv_has_no_formula_and_is_that_of_an_export(scrapy, world, demo, tmp_path):
    hostile = '=HYPERLINK("http://127.0.0.1/")'
    first = world.film("nightjar").critic_reviews[0]
    first.excerpt, first.critic, first.critic_slug = hostile, "@somebody", "-"
    plain = tmp_path / "reviews.csv"
    feeds = json.dumps({str(plain): {"format": "csv", "item_classes": ["metacrawl.items.CriticReview"]}})
    asked = ("critic_reviews", "-a", "movie=nightjar")
    crawl = scrapy("crawl", *asked, FEEDS=feeds, METACRAWL_SITE_URL=demo.url, DOWNLOAD_DELAY=0)
    assert crawl.returncode == 0, crawl.stderr
    assert scrapy("export", "--to", tmp_path / "out", "--format", "csv").returncode == 0
    with plain.open(encoding="utf-8", newline="") as file:
        [row] = [row for row in csv.DictReader(file) if from_cell(row["excerpt"]) == hostile]
    assert (row["excerpt"], row["critic"], row["critic_slug"]) == (f"'{hostile}", "'@somebody", "'-")
    ours, theirs = (cells_of(path) for path in (tmp_path / "out/critic_reviews.csv", plain))
    assert sorted(row[: -len(KEPT)] for row in ours) == sorted(theirs)
    assert ours[0][-len(KEPT) :] == KEPT


def cells_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))
