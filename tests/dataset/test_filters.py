"""What part of a database a dataset is made of, and when there is none to be made."""

import datetime as dt
import json

import pytest

from metacrawl.completeness import SHORT, Verdict
from metacrawl.database import changes, records, runs
from metacrawl.database.connection import connect
from metacrawl.database.rows import upsert
from metacrawl.database.schema import COMPLETENESS, CRITIC_REVIEWS, MOVIES, USER_REVIEWS
from metacrawl.dataset.again import export_again, read_about
from metacrawl.dataset.export import FORMS, export
from metacrawl.dataset.filters import Filters, read_filters
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.outcome import ConfigError, IncompleteError, NothingError, Outcome

OLD, NEW = (dt.datetime(year, 7, 16, 12, tzinfo=dt.UTC) for year in (2017, 2020))
SINCE = dt.datetime(2019, 1, 1, tzinfo=dt.UTC)
FILMS = {"her": 2013, "moonlight": 2016, "nightjar": None}


def film(slug, year):
    url = f"https://www.metacritic.com/movie/{slug}"
    return Movie(key=slug, slug=slug, source_url=url, layout="2016", captured_at=OLD, release_year=year, genres=["x"])


def review(slug, author, when=OLD):
    return UserReview(key=f"{slug}/{author}", movie_slug=slug, author=author, layout="2023", captured_at=when)


@pytest.fixture
def engine(database_url):
    """Three films, whose records were all stored long ago but for those that a test says."""
    opened = connect(database_url)
    end(opened, Outcome.COMPLETE, [film(slug, year) for slug, year in FILMS.items()])
    end(opened, Outcome.COMPLETE, [review(slug, name) for slug in FILMS for name in ("Ann", "Bob")])
    critics = [CriticReview(key=f"{slug}/a/b", movie_slug=slug, captured_at=OLD) for slug in FILMS]
    end(opened, Outcome.COMPLETE, critics)
    with opened.begin() as connection:
        for table in (MOVIES, CRITIC_REVIEWS, USER_REVIEWS):
            connection.execute(table.update().values(first_seen_at=OLD))
    yield opened
    opened.dispose()


def end(engine, outcome, met=()):
    """Store records in a run of its own that ends so; gives its number."""
    with engine.begin() as connection:
        run = runs.enter(connection, f"job {outcome}", "movies", {})
        records.save(connection, run, list(met))
        if outcome:
            runs.finish(connection, run, outcome, "message")
    return run


@pytest.fixture
def keys(engine, tmp_path):
    """Export with filters; gives the keys in each table of records."""

    def of(**given):
        export(engine, tmp_path / "dataset", "jsonl", read_filters(**given))
        lines = {name: lines_of(tmp_path, name) for name in ("movies", "critic_reviews", "user_reviews")}
        return {name: [line["key"] for line in found] for name, found in lines.items()}

    return of


def lines_of(tmp_path, table):
    text = (tmp_path / f"dataset/{table}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_films_are_chosen_by_their_names(keys, engine, tmp_path):
    asked = "moonlight, https://www.metacritic.com/movie/her/critic-reviews,her,gone"
    assert keys(movie=asked) == {
        "movies": ["her", "moonlight"],
        "critic_reviews": ["her/a/b", "moonlight/a/b"],
        "user_reviews": ["her/Ann", "her/Bob", "moonlight/Ann", "moonlight/Bob"],
    }
    assert [line["movie_slug"] for line in lines_of(tmp_path, "movie_scores")] == ["her", "moonlight"]
    (tmp_path / "films,.txt").write_text("nightjar # a comment\n", encoding="utf-8")
    assert keys(movie=f"@{tmp_path / 'films,.txt'}")["movies"] == ["nightjar"]


def test_films_are_chosen_by_their_years(keys, engine, tmp_path):
    assert keys(year="2013")["user_reviews"] == ["her/Ann", "her/Bob"]
    assert keys(year="2010-2019")["critic_reviews"] == ["her/a/b", "moonlight/a/b"]
    dataset = export(engine, tmp_path / "flat", "sqlite", read_filters(year="2010-2019", movie="her,nightjar"))
    assert (dataset.rows["movies"], dataset.rows["movie_genres"], dataset.years) == (1, 1, (2013, 2013))
    assert dataset.filters == {"movie": "her,nightjar", "year": "2010-2019"}
    assert dataset.layouts == {"": 1, "2016": 1, "2023": 2}


def test_what_is_new_changed_or_gone_comes_with_its_film(keys, engine):
    assert keys(since="2017-07-16")["movies"] == sorted(FILMS)
    end(engine, Outcome.COMPLETE, [review("her", "Cy", NEW)])
    with engine.begin() as connection:
        connection.execute(USER_REVIEWS.update().values(first_seen_at=NEW).where(USER_REVIEWS.c.key == "her/Cy"))
        gone = CRITIC_REVIEWS.update().values(vanished_at=NEW).where(CRITIC_REVIEWS.c.key == "moonlight/a/b")
        connection.execute(gone)
    assert keys(since="2019-01-01T00:00:00Z") == {
        "movies": ["her", "moonlight"],
        "critic_reviews": ["moonlight/a/b"],
        "user_reviews": ["her/Cy"],
    }
    assert keys(since="2019-01-01", year="2016") == {
        "movies": ["moonlight"],
        "critic_reviews": ["moonlight/a/b"],
        "user_reviews": [],
    }


def test_a_film_with_a_date_alone_has_its_year(keys, engine):
    with engine.begin() as connection:
        dated = MOVIES.update().values(release_date=dt.date(1969, 12, 31)).where(MOVIES.c.slug == "nightjar")
        connection.execute(dated)
    assert keys(year="1969")["user_reviews"] == ["nightjar/Ann", "nightjar/Bob"]


def test_what_has_come_back_is_there(keys, engine, tmp_path):
    with engine.begin() as connection:
        run = runs.enter(connection, "back", "movies", {})
        gone = USER_REVIEWS.update().values(vanished_at=NEW).where(USER_REVIEWS.c.key == "her/Ann")
        connection.execute(gone)
        records.meet(connection, run, USER_REVIEWS, ["her/Ann"])
        runs.finish(connection, run, Outcome.COMPLETE, "all")
    assert keys(since="2021-01-01") == {"movies": ["her"], "critic_reviews": [], "user_reviews": ["her/Ann"]}
    assert [(line["key"], line["new"]) for line in lines_of(tmp_path, "changes")] == [("her/Ann", "null")]


def test_a_film_of_which_only_reviews_were_read_can_be_asked_for(keys, engine, tmp_path):
    run = end(engine, Outcome.PARTIAL, [review("amber", "Cy")])
    with engine.begin() as connection:
        changes.note_vanished(connection, run, USER_REVIEWS, ["amber/Cy"], NEW)
    note_short(engine, run, "amber")
    end(engine, Outcome.COMPLETE)
    assert keys(movie="her")["movies"] == ["her"]
    with pytest.raises(IncompleteError, match="left 1 list of reviews short"):
        keys(movie="amber")
    export(engine, tmp_path / "dataset", "jsonl", read_filters(movie="amber"), partial=True)
    assert [line["key"] for line in lines_of(tmp_path, "changes")] == ["amber/Cy"]


def test_what_has_vanished_is_there_and_marked(engine, tmp_path):
    with engine.begin() as connection:
        gone = USER_REVIEWS.update().values(vanished_at=NEW).where(USER_REVIEWS.c.key == "her/Ann")
        connection.execute(gone)
    export(engine, tmp_path / "dataset", "jsonl")
    marks = {line["key"]: line["vanished_at"] for line in lines_of(tmp_path, "user_reviews")}
    assert marks["her/Ann"] == "2020-07-16T12:00:00Z"
    assert [key for key, mark in marks.items() if mark] == ["her/Ann"]


@pytest.mark.parametrize(
    "given", [{"movie": "gone"}, {"year": "1999"}, {"since": "2030-01-01"}], ids=["movie", "year", "since"]
)
def test_a_filter_that_leaves_nothing_is_named(keys, tmp_path, given):
    [(name, value)] = given.items()
    with pytest.raises(NothingError, match=f"there is nothing in .* with --{name} {value}"):
        keys(**given)
    assert not (tmp_path / "dataset").exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"movie": "a b"}, "movie=a b"),
        ({"movie": "@/nowhere"}, "movie=@/nowhere cannot be read"),
        ({"year": "13"}, "year=13 is no year"),
        ({"since": "yesterday"}, "since=yesterday is no day such as"),
    ],
)
def test_what_is_wrong_is_named(given, says):
    with pytest.raises(ConfigError, match=says):
        read_filters(**given)


def test_filters_are_read_again_as_they_are_told():
    filters = Filters(movie=("her", "moonlight"), year=(2010, 2019), since=SINCE)
    assert read_filters(**filters.given) == filters
    assert read_filters() == Filters()


# --- Whole or not


def test_after_a_run_that_was_not_complete_there_is_no_dataset(engine, tmp_path):
    end(engine, Outcome.BLOCKED)
    with pytest.raises(IncompleteError, match=r"run 4 \(movies, .*\) ended as blocked: .*--partial") as refusal:
        export(engine, tmp_path / "dataset", "jsonl")
    assert refusal.value.outcome is Outcome.BLOCKED
    assert not (tmp_path / "dataset").exists()
    dataset = export(engine, tmp_path / "dataset", "jsonl", partial=True)
    assert "run 4" in dataset.partial
    assert "run 4" in (tmp_path / "dataset/README.md").read_text(encoding="utf-8")
    end(engine, Outcome.COMPLETE)
    assert export(engine, tmp_path / "dataset", "jsonl", partial=True).partial == ""


def test_while_a_run_is_open_there_is_no_dataset(engine, tmp_path):
    end(engine, None)
    with pytest.raises(IncompleteError, match=r"run 4 \(movies, since .*\) is not at its end") as refusal:
        export(engine, tmp_path / "dataset", "jsonl")
    assert refusal.value.outcome is Outcome.PARTIAL


def test_a_list_that_an_earlier_run_left_short_is_no_dataset(engine, tmp_path):
    partial = end(engine, Outcome.PARTIAL)
    note_short(engine, partial, "her")
    end(engine, Outcome.COMPLETE)
    with pytest.raises(IncompleteError, match=r"run 4 .* left 1 list of reviews short, by 3"):
        export(engine, tmp_path / "dataset", "jsonl")
    assert export(engine, tmp_path / "dataset", "jsonl", Filters(movie=("moonlight",))).partial == ""
    dataset = export(engine, tmp_path / "dataset", "jsonl", partial=True)
    assert (dataset.completeness, dataset.missing) == ({SHORT: 1}, 3)


def test_what_an_archive_does_not_have_is_no_lack(engine, tmp_path):
    note_short(engine, end(engine, Outcome.COMPLETE), "her")
    dataset = export(engine, tmp_path / "dataset", "jsonl")
    assert (dataset.partial, dataset.completeness, dataset.missing) == ("", {SHORT: 1}, 3)


def note_short(engine, run, slug):
    verdict = Verdict(SHORT, 5, at_least=False, source="list", stored=2, missing=3, why="why", totals={}, agree=True)
    with engine.begin() as connection:
        upsert(connection, COMPLETENESS, [{"film": slug, "reviews": "user-reviews", "run": run} | vars(verdict)])


# --- Once more


@pytest.mark.parametrize("form", FORMS)
def test_a_dataset_is_made_again_as_it_was_asked_for(engine, tmp_path, form):
    folder = tmp_path / "dataset"
    asked = Filters(movie=("her",), since=dt.datetime(2001, 1, 1, tzinfo=dt.UTC))
    for _ in range(2):
        export(engine, folder, form, asked)
    assert read_about(folder) == (form, asked)
    with engine.begin() as connection:
        connection.execute(USER_REVIEWS.delete().where(USER_REVIEWS.c.key == "her/Ann"))
    end(engine, Outcome.BLOCKED)
    export_again(engine, folder, read_about(folder))
    assert read_about(folder) == (form, asked)
    everything = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "versions" in str(path)
    )
    assert b"her/Ann" not in everything
    assert len(list((tmp_path / ".dataset.versions").iterdir())) == 2


def test_a_dataset_of_which_nothing_is_left_is_empty(engine, tmp_path):
    folder = tmp_path / "dataset"
    end(engine, Outcome.COMPLETE, [review("amber", "Cy")])
    export(engine, folder, "jsonl", Filters(movie=("amber",)))
    with engine.begin() as connection:
        connection.execute(USER_REVIEWS.delete().where(USER_REVIEWS.c.key == "amber/Cy"))
    export_again(engine, folder, read_about(folder))
    assert (lines_of(tmp_path, "user_reviews"), lines_of(tmp_path, "movies")) == ([], [])
    assert len(list((tmp_path / ".dataset.versions").iterdir())) == 2


def test_an_older_dataset_is_known_by_its_files(tmp_path):
    (tmp_path / "user_reviews.csv").touch()
    assert read_about(tmp_path) == ("csv", Filters())


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no json",
        '{"metacrawl": {"format": "x", "filters": {}}}',
        '{"metacrawl": {"format": "csv", "filters": {"x": "y"}}}',
    ],
)
def test_a_folder_without_a_dataset_is_named(tmp_path, text):
    (tmp_path / "datapackage.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="there is no dataset in it"):
        read_about(tmp_path)
