import datetime as dt
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metacrawl.outcome import ConfigError, printable
from metacrawl.sources.site import SiteSource
from metacrawl.spiders.arguments import Arguments, read_arguments
from metacrawl.spiders.base import job_of
from metacrawl.spiders.critic_reviews import CriticReviewsSpider
from metacrawl.spiders.movies import MoviesSpider
from metacrawl.urls import PageKind

CRITICS, USERS = PageKind.CRITIC_REVIEWS, PageKind.USER_REVIEWS


def read(**given):
    return read_arguments(given, MoviesSpider.takes)


def refusal(**given):
    with pytest.raises(ConfigError) as refused:
        read(**given)
    return str(refused.value)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Make a folder of saved pages, and go there."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.html", "b.htm", "notes.txt", "deep/er/c.html", "deep/d [1].html"):
        file = tmp_path / "saved" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"<html></html>")
    return tmp_path / "saved"


# --- movie


@pytest.mark.parametrize(
    "film",
    [
        "her",
        "HER",
        "/movie/her/",
        "https://www.metacritic.com/movie/her/user-reviews?page=2",
        "metacritic.com/movie/her",
    ],
)
def test_a_film_is_asked_for_by_slug_or_url(film):
    assert read(movie=film) == Arguments(movie=("her",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_films_are_read_from_a_file(tmp_path, encoding, line_end):
    lines = [
        *("# films to read", "her", "", "   ", "  moonlight  # the one of 2005", "HER"),
        *("https://www.metacritic.com/movie/am%C3%A9lie/", "amélie", "/movie/her", "who-the-%-is-jackson-pollock"),
    ]
    file = tmp_path / "films.txt"
    file.write_bytes(line_end.join(lines).encode(encoding))
    assert read(movie=f"@{file}").movie == ("her", "moonlight", "amélie", "who-the-%-is-jackson-pollock")


def test_a_film_in_a_file_that_is_none_is_named_with_its_line(tmp_path):
    file = tmp_path / "films.txt"
    file.write_text("her\n\n# more\nno film\n")
    message = refusal(movie=f"@{file}")
    assert f"{file} line 4" in message
    assert "no film" in message


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing.txt", None), ("empty.txt", b""), ("comments.txt", b"# her\n\n"), ("latin.txt", b"am\xe9lie\n")],
)
def test_a_file_without_films_is_refused_by_name(tmp_path, name, content):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    assert f"movie=@{file}" in refusal(movie=f"@{file}")


def test_a_folder_is_no_file_of_films(tmp_path):
    assert f"movie=@{tmp_path}" in refusal(movie=f"@{tmp_path}")


@pytest.mark.parametrize(
    "film", ["", " ", "no film", "a/b", "/person/x", "https://example.com/movie/her", "/game/her", "@"]
)
def test_what_is_no_film_is_refused_by_name(film):
    assert f"movie={film}" in refusal(movie=film)


# --- lists of films


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"browse": "metascore"}, "limit=24&sortBy=-metaScore"),
        ({"browse": "userscore"}, "limit=24&sortBy=-userScore"),
        ({"browse": "new"}, "limit=24&sortBy=-releaseDate"),
        ({"browse": "popular"}, "limit=24&sortBy=-popularityCount"),
        ({"year": "2014"}, "limit=24&releaseYearMax=2014&releaseYearMin=2014&sortBy=-metaScore"),
        (
            {"browse": "new", "year": "2010-2019", "genre": "drama"},
            "genres=Drama&limit=24&releaseYearMax=2019&releaseYearMin=2010&sortBy=-releaseDate",
        ),
        ({"genre": "sci-fi, Drama,drama"}, "genres=Sci-Fi,Drama&limit=24&sortBy=-metaScore"),
    ],
)
def test_a_list_of_films_is_asked_of_the_finder(given, query):
    listing = read(**given).listing
    assert listing.kind is PageKind.API_FINDER
    assert "&".join(sorted(f"{name}={value}" for name, value in listing.query)) == "&".join(
        sorted(["mcoTypeId=2", *query.split("&")])
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("browse", value) for value in ("", "best", "Metascore")),
        *(
            ("year", value)
            for value in ("", "14", "2014-", "-2014", "2019-2010", "2010-2019-2020", "1500", "٢٠١٤", "2014 ")
        ),
        *(("genre", value) for value in ("", ",", "drama,", "drama;x", "dr%61ma", "1")),
    ],
)
def test_a_list_that_is_none_is_refused_by_name(name, value):
    assert f"{name}={value}" in refusal(**{name: value})


@pytest.mark.parametrize("name", ["browse=new", "year=2014", "genre=drama"])
def test_a_list_does_not_go_with_films_by_name(name):
    name, value = name.split("=")
    assert f"{name}={value}" in refusal(movie="her", **{name: value})


# --- the archive


def test_the_archive_is_asked_for_films_at_a_time():
    arguments = read(movie="her", source="archive", at="2014-2017")
    assert arguments.at.is_series
    assert (arguments.at.first.year, arguments.at.last.year) == (2014, 2017)


@pytest.mark.parametrize("given", [{"movie": "her"}, {"at": "2014"}, {}])
def test_the_archive_needs_films_and_a_time(given):
    assert "movie=her -a at=2014" in refusal(source="archive", **given)


def test_a_time_goes_with_the_archive_only():
    assert refusal(movie="her", at="2014").startswith("at=2014 goes with source=archive, not with source=site")


@pytest.mark.parametrize("value", ["", "then", "14", "2014-13", "2014-02-30", "2017-2014", "2014-2015-2016-2017"])
def test_a_time_that_is_none_is_refused_by_name(value):
    assert refusal(movie="her", source="archive", at=value).startswith(f"at={value} ")


# --- reviews, source, limit


@pytest.mark.parametrize(
    ("value", "lists"), [("all", {CRITICS, USERS}), ("critics", {CRITICS}), ("users", {USERS}), ("none", set())]
)
def test_reviews_chooses_the_lists(value, lists):
    assert read(movie="her", reviews=value).reviews == lists


def test_both_lists_are_read_unless_told_otherwise():
    assert read(movie="her").reviews == {CRITICS, USERS}


@pytest.mark.parametrize("value", ["1", "20", "0100"])
def test_limit_is_a_number_of_films(value):
    assert read(movie="her", limit=value).limit == int(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("reviews", value) for value in ("", "critic", "ALL", "all ", "critics,users")),
        *(("source", value) for value in ("", "Site", "Archive", "file")),
        *(("update", value) for value in ("", "1", "Full", "new")),
        *(("limit", value) for value in ("", "0", "-1", "1.5", "ten", " 1", "1_000", "٣", "²", "+1")),
    ],
)
def test_a_choice_that_there_is_not_is_refused_by_name(name, value):
    assert refusal(**{"movie": "her", name: value}).startswith(f"{name}={value} ")


def test_an_absurd_limit_is_refused_by_name():
    digits = "1" * 5000
    with pytest.raises(ConfigError) as refused:
        read(movie="her", limit=digits)
    assert f"limit={digits}" in str(refused.value)


# --- path


def names(arguments, folder):
    return [str(path.resolve().relative_to(folder)) for path in arguments.path]


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("saved/a.html", ["a.html"]),
        ("saved/notes.txt", ["notes.txt"]),
        ("saved", ["a.html", "b.htm", "deep/d [1].html", "deep/er/c.html"]),
        ("saved/", ["a.html", "b.htm", "deep/d [1].html", "deep/er/c.html"]),
        ("saved/*.html", ["a.html"]),
        ("saved/*.htm*", ["a.html", "b.htm"]),
        ("saved/**/*.html", ["a.html", "deep/d [1].html", "deep/er/c.html"]),
        ("saved/*", ["a.html", "b.htm", "notes.txt"]),
        ("saved/deep/d [1].html", ["deep/d [1].html"]),
        ("./saved/?.html", ["a.html"]),
    ],
)
def test_saved_pages_are_a_file_a_folder_or_a_pattern(saved, path, files):
    assert names(read(source="files", path=path), saved) == files


def test_saved_pages_may_lie_anywhere(saved):
    assert names(read(source="files", path=f"{saved}/*.html"), saved) == ["a.html"]


@pytest.mark.parametrize("path", ["missing.html", "saved/missing", "saved/*.xml", "missing/**", "saved/[", "no\0name"])
def test_saved_pages_that_are_not_there_are_refused_by_name(saved, path):
    assert refusal(source="files", path=path).startswith(f"path={printable(path)}: ")


def test_a_folder_without_pages_is_refused_by_name(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert refusal(source="files", path=str(tmp_path)).startswith(f"path={tmp_path}: ")


def test_a_name_that_no_file_can_have_is_refused_by_name():
    path = "a" * (os.pathconf("/", "PC_NAME_MAX") + 1)
    with pytest.raises(ConfigError) as refused:
        read(source="files", path=path)
    assert f"path={path}" in str(refused.value)


# --- captured_at


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2017-07-16T12:00:00Z", dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)),
        ("2017-07-16T12:00:00", dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)),
        ("2017-07-16 12:00:00", dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)),
        ("2017-07-16", dt.datetime(2017, 7, 16, tzinfo=dt.UTC)),
        ("2017-07-16T12:00:00+02:00", dt.datetime(2017, 7, 16, 10, tzinfo=dt.UTC)),
    ],
)
def test_the_time_of_saving_is_utc_unless_it_says_otherwise(saved, value, time):
    found = read(source="files", path="saved", captured_at=value).captured_at
    assert found == time
    assert found.tzinfo is not None


@pytest.mark.parametrize("value", ["", "yesterday", "2017", "2017-02-30", "16.07.2017", "2017-07-16T25:00"])
def test_what_is_no_time_is_refused_by_name(saved, value):
    assert refusal(source="files", path="saved", captured_at=value).startswith(f"captured_at={value} ")


# --- together


def test_arguments_that_do_not_go_together_are_refused_by_name(saved):
    assert refusal(movie="her", path="saved").startswith("path=saved goes with source=files")
    assert refusal(source="files", path="saved", update="full").startswith("update=full goes with source=site")
    assert refusal(source="archive", movie="her", at="2014", update="changed").startswith("update=changed goes with")
    assert refusal(movie="her", captured_at="2017-07-16").startswith("captured_at=2017-07-16 goes with source=files")
    assert refusal(source="files", path="saved", movie="her").startswith("movie=her goes with source=site")


def test_to_read_all_is_another_job_than_to_read_what_has_changed():
    """So a run that was cut short goes on in the mode in which it began."""
    source = SiteSource("http://127.0.0.1:8000", "", "")
    jobs = [
        job_of("movies", read(movie="her", **more), source) for more in ({}, {"update": "changed"}, {"update": "full"})
    ]
    assert jobs[0] == jobs[1] != jobs[2]


def test_what_is_missing_is_said_with_an_example():
    assert "-a movie=her" in refusal()
    assert "-a movie=her" in refusal(source="site")
    assert "-a path=" in refusal(source="files")


def test_an_unknown_argument_is_refused_with_the_nearest_one():
    assert refusal(movies="her") == "unknown argument movies=her: did you mean movie?"
    assert "unknown argument zzz=1: this spider takes movie, " in refusal(zzz="1")


def test_a_spider_refuses_what_only_another_one_takes():
    with pytest.raises(ConfigError, match="unknown argument reviews=users"):
        read_arguments({"movie": "her", "reviews": "users"}, CriticReviewsSpider.takes)


def test_what_scrapyd_passes_beside_is_ignored():
    told = {"_job": "6487ec79947edab326d6db28a2d86511e8247444", "_version": "1700000000"}
    assert read(movie="her", **told) == read(movie="her")


def test_a_message_is_one_line_whatever_was_given():
    assert refusal(movie="her\nmoonlight").splitlines() == [refusal(movie="her\nmoonlight")]


def answer(**given):
    try:
        return read(**given)
    except ConfigError as error:
        return str(error)


@given(st.sampled_from(["movie", "reviews", "source", "limit", "captured_at", "film"]), st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_value_is_taken_or_refused_in_one_line_that_names_it(name, value):
    said = answer(**{"movie": "her", name: value})
    if not isinstance(said, Arguments):
        assert f"{name}={printable(value)}" in said
        assert said.isprintable()
