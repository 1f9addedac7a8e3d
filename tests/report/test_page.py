"""The numbers of the page are those of the records, counted here once more, in Python."""

import base64
import datetime as dt
import hashlib
import re
import statistics
from collections import Counter, defaultdict
from dataclasses import fields, replace
from itertools import pairwise

import pytest
import sqlalchemy as sa

from metacrawl import __version__
from metacrawl.database import report as report_module
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.report import LEAST_SCORES, PUBLICATIONS, find
from metacrawl.database.schema import CHANGES, COMPLETENESS, MOVIES, USER_REVIEWS
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.outcome import NothingError, Outcome
from metacrawl.report import page as page_module
from tests.database.parts import a_list
from tests.report.parts import NOW, SITE, Page, as_read, change, page_of, store, truth

RECORDS = truth()
FILMS, CRITICS, USERS = (
    [one for one in RECORDS if isinstance(one, kind)] for kind in (Movie, CriticReview, UserReview)
)
MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def page(request, tmp_path_factory):
    """The report on the demo site's truth, from each kind of database."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.create("report")
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('report') / 'metacrawl.db'}"
    earlier = [replace(FILMS[0], metascore=score, captured_at=dt.datetime(year, 1, 1, tzinfo=dt.UTC))
               for score, year in ((70, 2014), (None, 2015), (0, 2016))]  # fmt: skip
    for one in earlier:
        store(url, [one], movie="@films.txt")
    store(url, RECORDS, Outcome.PARTIAL, movie="@films.txt")
    films = [film.slug for film in FILMS[:4]]
    lists = [a_list(4, film, "complete") for film in films[:2]]
    lists += [a_list(4, films[2], "short", missing=7), a_list(4, films[3], "unknown")]
    gone = sa.update(USER_REVIEWS).where(USER_REVIEWS.c.movie_slug == films[0]).values(vanished_at=NOW)
    now = dt.datetime.now(dt.UTC)
    what = [("movies", "metascore", "81"), ("movies", "metascore", "82"), ("movies", "tagline", "null")]
    what += [("user_reviews", "vanished_at", "1"), ("user_reviews", "vanished_at", "null")]
    changes = [
        {"run": 4, "seen_at": now, "kind": kind, "key": f"k{number}", "field": field, "old": "", "new": new}
        for number, (kind, field, new) in enumerate(what)
    ]
    # Long ago, which is not lately.
    changes.append({**changes[0], "seen_at": NOW - dt.timedelta(days=400), "key": "old"})
    change(url, (sa.insert(COMPLETENESS), lists), (gone,), (sa.insert(CHANGES), changes))
    yield Page(page_of(url))
    if request.param == "postgresql":
        server.drop("report")


def test_how_much_there_is(page):
    assert page.glance() == {
        "Films": f"{len(FILMS):,}",
        "Critic reviews": f"{len(CRITICS):,}",
        "User reviews": f"{len(USERS):,}",
        "Years of release": f"{min(year for year in years() if year)}–{max(year for year in years() if year)}",
    }
    assert "Of 4 lists of reviews 2 are complete, 1 short (7 reviews missing) and 1 unknown." in page.text()
    gone = sum(one.movie_slug == FILMS[0].slug for one in USERS)
    assert gone
    assert (
        f"{gone:,} of the records are no longer on the site; they are kept, and are in all numbers here." in page.text()
    )
    layouts = Counter(type(one) for one in RECORDS)
    assert page.table("Read from these page designs") == [("2016", *(f"{number:,}" for number in layouts.values()))]


def years():
    return [film.release_year for film in FILMS]


def test_films_by_year(page):
    counts = Counter(years())
    without = counts.pop(None, 0)
    expected = [(str(year), f"{counts[year]:,}") for year in range(min(counts), max(counts) + 1)]
    assert page.table("Films by year of release") == expected
    assert (f"{without} film" in page.finding("Films by year of release")) == bool(without)


@pytest.mark.parametrize(
    ("heading", "field", "scale", "reviews"),
    [("Metascores", "metascore", 1, CRITICS), ("User scores", "user_score", 10, USERS)],
)
def test_how_scores_lie(page, heading, field, scale, reviews):
    scores = [score for film in FILMS if (score := getattr(film, field)) is not None]
    low, median, high = statistics.quantiles(scores, n=4, method="inclusive")
    words = f"Median {median:.1f}; the middle half of {len(scores)} films is between {low:.1f} and {high:.1f}."
    assert page.finding(heading).startswith(words.replace(".0", ""))
    *bins, tbd, none = page.table(heading)
    assert [int(number) for _, number in bins] == [
        sum(start <= min(round(scale * score), 99) < start + 5 for score in scores) for start in range(0, 100, 5)
    ]
    assert bins[-1][0] == ("95–100" if scale == 1 else "9.5–10.0")
    reviewed = {review.movie_slug for review in reviews}
    unscored = [film.slug in reviewed for film in FILMS if getattr(film, field) is None]
    assert [tbd, none] == [("none yet (tbd)", str(sum(unscored))), ("none, no reviews", str(unscored.count(False)))]


def test_critics_against_users(page):
    both = [film for film in FILMS if film.metascore is not None and film.user_score is not None]
    kinder = [round(10 * film.user_score) - film.metascore for film in both]
    assert page.finding("Critics against users").startswith(
        f"Of {len(both)} films with both scores, users liked {sum(one > 0 for one in kinder)} better than critics did, "
        f"and {sum(one < 0 for one in kinder)} less."
    )
    apart = sorted(zip(both, kinder, strict=True), key=lambda pair: (-abs(pair[1]), pair[0].key))[:10]
    assert page.table("The largest disagreements") == [
        (film.title, str(film.metascore), f"{film.user_score:.1f}", f"{more:+d}".replace("-", MINUS))
        for film, more in apart
    ]
    titles = {title.text.rpartition(": Metascore")[0] for title in page.part("Critics against users").iter("title")}
    assert titles <= {film.title for film in both} | {f"{film.title} and 1 more" for film in both}
    assert len(titles) > 50


def test_how_generous_publications_are(page):
    metascores = {film.slug: film.metascore for film in FILMS}
    given = defaultdict(list)
    for review in CRITICS:
        if None not in {review.score, review.publication, metascores[review.movie_slug]}:
            given[review.publication].append((review.score, review.score - metascores[review.movie_slug]))
    busiest = sorted(
        (item for item in given.items() if len(item[1]) >= LEAST_SCORES), key=lambda item: (-len(item[1]), item[0])
    )
    found = page.table("Generous and strict publications")
    assert len(found) == PUBLICATIONS
    for (name, reviews, mean, above), (expected, pairs) in zip(found, busiest, strict=False):
        assert (name, reviews) == (expected, str(len(pairs)))
        assert float(mean) == pytest.approx(statistics.mean(score for score, _ in pairs), abs=0.051)
        assert float(above.replace(MINUS, "-")) == pytest.approx(statistics.mean(more for _, more in pairs), abs=0.051)


def test_scores_over_time(page):
    """No score is no 0, and 0 is one."""
    film = FILMS[0]
    [*earlier, last] = page.table(film.title)
    assert [row[:2] for row in earlier] == [("2014-01-01", "70"), ("2015-01-01", "none"), ("2016-01-01", "0")]
    assert last == ("2026-10-01", str(film.metascore), f"{film.user_score:g}")
    assert page.finding(film.title).startswith(f"Critics 70 → {film.metascore}, users")


@pytest.mark.parametrize(
    ("heading", "stored"), [("Films", FILMS), ("Critic reviews", CRITICS), ("User reviews", USERS)]
)
def test_which_fields_records_have(page, heading, stored):
    names = [
        field.name for field in fields(stored[0]) if field.name not in {"key", "layout", "source_url", "captured_at"}
    ]
    filled = {name: sum(getattr(one, name) not in (None, []) for one in stored) for name in names}
    table = page.table(heading)
    assert {name: int(number.replace(",", "")) for name, number, _ in table} == filled
    assert all((share == "100%") == (filled[name] == len(stored)) for name, _, share in table)
    assert all((share == "0%") == (filled[name] == 0) for name, _, share in table)


def test_what_happened_lately(page):
    added = f"{len(FILMS):,} films, {len(CRITICS):,} critic reviews, {len(USERS):,} user reviews."
    assert f"Stored for the first time: {added}" in page.text()
    changes, runs = (page.table("Lately", number) for number in (0, 1))
    assert sorted(changes) == [
        ("Films: metascore", "2"),
        ("Films: tagline taken away", "1"),
        ("User reviews: come back", "1"),
        ("User reviews: gone from the site", "1"),
    ]
    assert [row[0] for row in runs] == [f"{number} movies movie=@films.txt" for number in (4, 3, 2, 1)]
    assert [row[2:] for row in runs[-2:]] == [("complete", "0", "0"), ("complete", "1", "0")]
    assert runs[0][2:] == ("partial", f"{len(RECORDS) - 1:,}", "1")


def test_nobody_who_wrote_a_user_review_is_named(page):
    authors = {one.author for one in USERS if len(one.author) > 6}
    assert len(authors) > 100
    assert [name for name in authors if name in page.text()] == []


def test_every_chart_is_told_to_who_does_not_see_it(page):
    figures = list(page.body.iter("figure"))
    assert len(figures) == 9
    for one in figures:
        [drawing] = one.iter("svg")
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label")
        assert [caption.text_content() for caption in one.iter("figcaption")] != [""]
        assert len(list(one.iter("table"))) == 1
    levels = [int(one.tag[1]) for one in page.body.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.root.get("lang") == "en"
    ids = [one.get("id") for one in page.root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))


HOSTILE = (
    "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %} & \"quoted\" 'too'",
    "left \u202eright\u202c \u2066isolated",
    "شجرة الملح",
    "long" * 500,
    "control \x01 character",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The report on a site that gives its films such titles, and its publications such names."""
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'metacrawl.db'}"
    films = [
        as_read(Movie(key=f"f{n}", slug=f"f{n}", url=f"{SITE}/movie/f{n}", title=title, metascore=n, user_score=9.5))
        for n, title in enumerate(HOSTILE)
    ]
    reviews = [
        as_read(CriticReview(key=f"f{n}/{name}", movie_slug=f"f{n}", publication=name, score=50))
        for n in range(len(HOSTILE))
        for name in HOSTILE
    ]
    before = [
        replace(one, metascore=99, user_score=0.0, captured_at=dt.datetime(2014, 1, 1, tzinfo=dt.UTC)) for one in films
    ]
    store(url, before, movie=HOSTILE[0])
    store(url, [*films, *reviews], movie=HOSTILE[0])
    return page_of(url)


def test_what_a_site_says_is_text(hostile):
    page = Page(hostile.replace("\x01", ""))
    names = {" ".join(name.replace("\x01", "").split()) for name in HOSTILE}
    assert {row[0] for row in page.table("The largest disagreements")} == names
    assert {row[0] for row in page.table("Generous and strict publications")} == names
    assert not list(page.root.iter("script", "img", "iframe", "object", "link", "form"))
    assert not [name for one in page.root.iter("*") for name in one.attrib if name.lower().startswith("on")]
    assert len(list(page.root.iter("figure"))) == 5 + len(HOSTILE) + 3
    # In drawings and their labels nothing turns the direction of what follows.
    assert not [one for svg in page.root.iter("svg") if "\u202e" in (one := svg.text_content() + svg.get("aria-label"))]


def test_without_escaping_it_would_be_markup(monkeypatch, tmp_path):
    url = f"sqlite:///{tmp_path / 'metacrawl.db'}"
    store(
        url, [as_read(Movie(key="a", slug="a", url=f"{SITE}/movie/a", title=HOSTILE[0], metascore=9, user_score=9.0))]
    )
    real = page_module.Environment
    monkeypatch.setattr(page_module, "Environment", lambda **given: real(**{**given, "autoescape": False}))
    assert list(Page(page_of(url)).root.iter("img"))


def test_nothing_is_loaded_and_nothing_runs(hostile):
    root = Page(hostile.replace("\x01", "")).root
    [policy] = [one.get("content") for one in root.iter("meta") if one.get("http-equiv")]
    [style] = root.iter("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"@import|url\(|expression", style.text)
    names = {name for one in root.iter("*") for name in one.attrib}
    assert not names & {"src", "href", "srcset", "style", "action", "data", "poster", "xlink:href"}


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (
            [Movie(key="a", slug="a", url=f"{SITE}/movie/a")],
            [
                "No film has a Metascore. Not shown: 1 film without score or reviews.",
                "No film has both a Metascore and a user score.",
                "No film has a year. 1 film without a year.",
                "There is no film on which critics and users differ.",
                "No film has been seen with more than one score so far.",
                f"No publication has scored {LEAST_SCORES} films that have a Metascore.",
                "There are no critic reviews.",
                "No crawl has yet been held against the numbers that the site gives.",
                "Nothing that was stored before has been found changed.",
            ],
        ),
        ([UserReview(key="a/b", movie_slug="a", author="b")], ["No film has a user score.", "There are no films."]),
    ],
    ids=["a film", "a review"],
)
def test_what_is_not_there_is_said(sqlite_url, stored, says):
    store(sqlite_url, [as_read(one) for one in stored])
    page = Page(page_of(sqlite_url))
    assert [words for words in says if words not in page.text()] == []
    assert len(list(page.body.iter("svg"))) == 1


def test_a_film_of_which_only_the_user_score_moved_has_its_course(database_url):
    url = f"{SITE}/movie/a"
    for year, score in ((2014, 6.5), (2015, 7.0)):
        when = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
        film = Movie(key="a", slug="a", url=url, source_url=url, layout="2016", user_score=score, captured_at=when)
        store(database_url, [film])
    assert Page(page_of(database_url)).finding("a") == "Critics none → none, users 6.5 → 7, 2014 to 2015."


def test_all_of_it_is_of_one_moment(database_url, tmp_path, monkeypatch):
    def later(connection, count=report_module.layouts):
        store(database_url, [CRITICS[0]])
        return count(connection)

    store(database_url, FILMS[:1])
    monkeypatch.setattr(report_module, "layouts", later)
    engine = connect_to_read(database_url)
    page_module.write(engine, tmp_path / "report.html")
    engine.dispose()
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.glance()["Critic reviews"] == "0"
    assert page.table("Read from these page designs") == [(FILMS[0].layout, "1", "0", "0")]


def test_an_empty_database_has_no_report(database_url):
    engine = connect(database_url)
    with engine.connect() as connection, pytest.raises(NothingError, match="there is nothing in"):
        find(connection, NOW)
    engine.dispose()


def test_it_says_where_it_comes_from(sqlite_url):
    store(sqlite_url, [as_read(Movie(key="a", slug="a", url=f"{SITE}/movie/a"))])
    change(sqlite_url, (sa.update(MOVIES).values(title="A"),))
    [footer] = Page(page_of(f"{sqlite_url}?timeout=5", NOW)).body.iter("footer")
    said = footer.text_content()
    assert f"Made 1 October 2026, 12:00 UTC by metacrawl {__version__} from {sqlite_url}." in said
    assert "timeout" not in said
