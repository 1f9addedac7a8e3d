"""Scrapy's own commands keep working in this project."""


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
