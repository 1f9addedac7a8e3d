"""What is in the database comes back from the files of a dataset, whoever reads them."""

import csv
import datetime as dt
import json
import sqlite3
import subprocess
import types
from contextlib import closing
from dataclasses import fields
from typing import get_args, get_origin, get_type_hints

import duckdb
import msgspec
import pandas as pd
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metacrawl.cells import from_cell
from metacrawl.database import records, runs
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.schema import TABLES
from metacrawl.dataset import export as exporting
from metacrawl.dataset import publish
from metacrawl.dataset.export import FORMS, export
from metacrawl.dataset.tables import MOVIE, tables_of
from metacrawl.items import RECORDS, Award, Credit, CriticReview, Movie, Ranking, UserReview
from metacrawl.outcome import DamagedError, NothingError, Outcome
from tests import office
from tests.conftest import lack

THEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
MOVIE_URL = "https://www.metacritic.com/movie/"

# --- Records as ugly as the contract lets them be: no text is empty, and a line break is always "\n".

UGLY = st.sampled_from(
    [
        *('"', '""', ",", ";", "\n", "\n\n", "'", "\\", "\\n", "=1+1", "null", "[]", "{}", "0", "-", "tbd", "<br>"),
        *("''", ";-", "\n@", "\t"),
        *("映画", "é", "e\u0301", "\U0001f600", "\u200b", "\ufeff", "\x01", "\x1c", "\x1f", "\x7f", "\x80"),
    ]
)
CHARS = st.characters(exclude_categories=("Cs",), exclude_characters="\0\r")
TEXT = st.lists(UGLY | st.text(CHARS, max_size=5), min_size=1, max_size=5).map("".join).filter(bool)
COUNT = st.integers(0, 2**63 - 1)
TIME = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)).map(  # noqa: DTZ001 - what Hypothesis takes
    lambda time: time.replace(microsecond=0, tzinfo=dt.UTC)
)
OPTIONAL = {
    str: TEXT,
    int: COUNT,
    bool: st.booleans(),
    dt.date: st.dates(dt.date(1870, 1, 1), dt.date(2100, 1, 1)),
    dt.datetime: TIME,
}
PARTS = {
    str: TEXT,
    Credit: st.builds(Credit, name=TEXT, slug=st.none() | TEXT, role=st.none() | TEXT),
    Ranking: st.builds(Ranking, rank=st.none() | st.integers(1, 10**9), title=TEXT),
    Award: st.builds(Award, event=TEXT, wins=st.none() | COUNT, nominations=st.none() | COUNT),
}
SPECIAL = {
    "imdb_id": st.from_regex(r"tt[0-9]{1,9}", fullmatch=True),
    "release_year": st.integers(1870, 2100),
    "metascore": st.integers(0, 100),
    "user_score": st.integers(0, 100).map(lambda tenths: tenths / 10),
}
SCORES = {CriticReview: st.integers(0, 100), UserReview: st.integers(0, 10)}


def values_of(kind, name, hint):
    """Make the strategy of a field from its type."""
    if get_origin(hint) is list:
        return st.lists(PARTS[get_args(hint)[0]], max_size=3)
    if hint is str:
        return TEXT
    if name == "captured_at":
        return TIME
    if name == "score":
        return st.none() | SCORES[kind]
    if name in SPECIAL:
        return st.none() | SPECIAL[name]
    return st.none() | OPTIONAL[next(part for part in get_args(hint) if part is not types.NoneType)]


def records_of(kind):
    return st.builds(kind, **{name: values_of(kind, name, hint) for name, hint in get_type_hints(kind).items()})


def as_stored(met):
    """Give a film the key and the page that every film has, and a review a film."""
    for record in met:
        if isinstance(record, Movie):
            record.slug = record.key
            record.source_url = f"{MOVIE_URL}her"
    films = [record.slug for record in met if isinstance(record, Movie)]
    for record in met:
        if not isinstance(record, Movie) and films:
            record.movie_slug = films[0]
    return met if films else []


def any_records():
    kinds = st.one_of(*map(records_of, RECORDS))
    found = st.lists(kinds, max_size=6, unique_by=lambda record: (type(record), record.key))
    return found.map(as_stored).filter(len)


# --- Reading the files, each with a program of those that people use; all give plain values, as in JSON.


def plain(value):
    """Make of a value of a library what JSON has for it."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(part) for part in value]
    return {name: plain(part) for name, part in value.items()} if isinstance(value, dict) else value


def with_json(folder, table):
    with (folder / f"{table.name}.jsonl").open(encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def with_csv(folder, table):
    with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
        return [of_cells(row, table) for row in csv.DictReader(file)]


def with_csv_in_pandas(folder, table):
    frame = pd.read_csv(folder / f"{table.name}.csv", dtype=str, keep_default_na=False)
    return [of_cells(row, table) for row in frame.to_dict("records")]


def of_cells(row, table):
    """Read as DATA_FORMAT.md says: an empty cell is none, text may be marked, numbers and truth are as in JSON."""
    columns = {column.name: column for column in table.columns}
    return {name: of_cell(columns[name], cell) for name, cell in row.items()}


def of_cell(column, cell):
    if cell == "":
        return "" if column.required else None
    return from_cell(cell) if column.type in {"string", "date", "datetime"} else json.loads(cell)


def with_pandas(folder, table):
    frame = pd.read_parquet(folder / f"{table.name}.parquet", dtype_backend="pyarrow")
    columns = [frame[name].array.__arrow_array__().to_pylist() for name in frame]
    return [plain(dict(zip(frame, row, strict=True))) for row in zip(*columns, strict=True)]


def with_polars(folder, table):
    return plain(pl.read_parquet(folder / f"{table.name}.parquet").to_dicts())


def with_duckdb(folder, table):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.read_parquet(str(folder / f"{table.name}.parquet"))
        return plain(found.to_arrow_table().to_pylist())


def with_sqlite3(folder, table):
    with closing(sqlite3.connect(folder / "metacrawl.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{table.name}"')]  # noqa: S608
    truth = [column.name for column in table.columns if column.type == "boolean"]
    return [row | {name: None if row[name] is None else bool(row[name]) for name in truth} for row in rows]


READERS = {
    "jsonl": (with_json,),
    "csv": (with_csv, with_csv_in_pandas),
    "parquet": (with_pandas, with_polars, with_duckdb),
    "sqlite": (with_sqlite3,),
}
EACH_FORM = pytest.mark.parametrize("form", FORMS)
KEPT = ("first_seen_at", "vanished_at")


def expected(met, table):
    """Give the rows that a table should have, as JSON has them, in order."""
    kinds = {TABLES[kind].name: kind for kind in RECORDS}
    names = [column.name for column in table.columns if column.name not in KEPT]
    films = [msgspec.to_builtins(record) for record in met if isinstance(record, Movie)]
    films.sort(key=lambda film: film["slug"])
    if table.name in kinds:
        rows = [msgspec.to_builtins(record) for record in met if type(record) is kinds[table.name]]
        rows.sort(key=lambda row: row["key"])
    elif table.name == "movie_scores":
        rows = [film | {"movie_slug": film["slug"], "last_captured_at": film["captured_at"]} for film in films]
    elif table.name == "changes":
        rows = []
    else:
        rows = [
            {
                "movie_slug": film["slug"],
                "position": position,
                **(entry if isinstance(entry, dict) else {"name": entry}),
            }
            for film in films
            for position, entry in enumerate(film[table.name.removeprefix("movie_")], 1)
        ]
    return [{name: row[name] for name in names} for row in rows]


def read_back(folder, form, table):
    """Read a table with everything that reads its form; all see the same."""
    first, *others = [reader(folder, table) for reader in READERS[form]]
    assert all(other == first for other in others)
    return first


def said(rows):
    """Give what records say, without when they were stored."""
    return [{name: value for name, value in row.items() if name not in KEPT} for row in rows]


def store(engine, met):
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
        records.save(connection, run, met)
        runs.finish(connection, run, Outcome.COMPLETE, "all")


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """Nothing here is about what a disk keeps."""
    monkeypatch.setattr(publish, "flush", lambda _: None)


@pytest.fixture
def engine(sqlite_url):
    opened = connect(sqlite_url)
    yield opened
    opened.dispose()


def film(slug, **fields):
    return Movie(key=slug, slug=slug, source_url=f"{MOVIE_URL}{slug}", captured_at=THEN, **fields)


def review(author, **fields):
    return UserReview(key=f"her/{author}", movie_slug="her", author=author, captured_at=THEN, **fields)


def critic_review(number, **fields):
    return CriticReview(key=f"her/{number}/-", movie_slug="her", captured_at=THEN, **fields)


WHOLE = [
    film(
        "her",
        title="=1+1; 'tis",
        metascore=0,
        user_score=8.5,
        must_see=False,
        release_date=THEN.date(),
        genres=["Drama", "-x"],
        cast=[Credit(name="A", slug=None, role="B, C"), Credit(name="A", slug="a")],
        rankings=[Ranking(rank=7, title="Best")],
        awards=[Award(event="E", wins=0)],
    ),
    film("moonlight", metascore=99),
    review("Ann", text="é\n映画", score=10, spoiler=True, edited_at=THEN, date=THEN.date()),
    review("ann", text="x" * 100_000),
    critic_review(1, score=0, excerpt='"a", b'),
]

# --- Tests


@EACH_FORM
@given(met=any_records())
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_every_field_comes_back_as_it_was(tmp_path_factory, form, met):
    folder = tmp_path_factory.mktemp("datasets") / "dataset"
    engine = connect("sqlite://")
    try:
        store(engine, met)
        export(engine, folder, form)
    finally:
        engine.dispose()
    for table in tables_of(nested=FORMS[form].nested):
        assert said(read_back(folder, form, table)) == expected(met, table)


@EACH_FORM
def test_both_databases_give_the_same(database_url, tmp_path, form):
    engine = connect(database_url)
    try:
        store(engine, WHOLE)
    finally:
        engine.dispose()
    reader = connect_to_read(database_url)
    try:
        dataset = export(reader, tmp_path / "dataset", form)
    finally:
        reader.dispose()
    for table in tables_of(nested=FORMS[form].nested):
        rows = read_back(tmp_path / "dataset", form, table)
        assert said(rows) == expected(WHOLE, table)
        assert dataset.rows[table.name] == len(rows)
        assert all(row.get("first_seen_at", "") is not None for row in rows)
        assert all(row.get("vanished_at") is None for row in rows)
    # The film shows no year, but a day.
    assert (dataset.partial, dataset.years, dataset.captured) == ("", (2017, 2017), (THEN, THEN))
    subprocess.run(["/usr/bin/sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "dataset", check=True)
    assert {line[66:] for line in (tmp_path / "dataset/SHA256SUMS").read_text().splitlines()} == {
        path.name for path in (tmp_path / "dataset").iterdir()
    } - {"SHA256SUMS"}


def test_a_spreadsheet_shows_it(engine, tmp_path):
    if not office.installed():
        lack("LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc-nogui")
    # A cell of a spreadsheet holds 32,767 characters.
    met = [record for record in WHOLE if len(getattr(record, "text", None) or "") < 30_000]
    store(engine, met)
    export(engine, tmp_path / "dataset", "csv")
    tables = [table for table in tables_of(nested=False) if expected(met, table)]
    assert {table.name for table in tables} >= {
        "movies",
        "movie_cast",
        "critic_reviews",
        "user_reviews",
        "movie_scores",
    }
    for table in tables:
        if table.name in {"movies", "movie_cast", "user_reviews"}:
            sheet = office.opened(tmp_path / f"dataset/{table.name}.csv", tmp_path)
            heading, *rows = [row[: len(table.columns)] for row in sheet.rows]
            found = [of_cells(dict(zip(heading, row, strict=True)), table) for row in rows if any(row)]
            assert said(found) == expected(met, table)
            assert sheet.formulas == []


def test_a_lone_carriage_return_comes_back_too(engine, tmp_path):
    store(engine, [film("her"), review("Ann", text="one\rtwo")])
    for form in FORMS:
        export(engine, tmp_path / form, form)
        [table] = [table for table in tables_of(nested=FORMS[form].nested) if table.name == "user_reviews"]
        assert [row["text"] for row in READERS[form][0](tmp_path / form, table)] == ["one\rtwo"]


@EACH_FORM
def test_records_stand_in_the_order_of_their_keys(engine, tmp_path, form):
    names = ["b", "B", "a", "é", "Z", "a-1"]
    store(engine, [film("her"), *(review(name) for name in names)])
    export(engine, tmp_path / "dataset", form)
    [table] = [table for table in tables_of(nested=FORMS[form].nested) if table.name == "user_reviews"]
    assert [row["author"] for row in read_back(tmp_path / "dataset", form, table)] == sorted(names)


@EACH_FORM
def test_two_exports_of_one_database_are_the_same(engine, tmp_path, form):
    store(engine, WHOLE)
    one, other = (export(engine, tmp_path / name, form) for name in ("one", "other"))
    assert [(file.name, file.sha256) for file in one.files] == [(file.name, file.sha256) for file in other.files]


def test_lines_of_json_have_every_field_in_order(engine, tmp_path):
    store(engine, [film("her"), review("Ann", date=dt.date(2014, 1, 9), text="é\n映画")])
    export(engine, tmp_path / "dataset", "jsonl")
    line = (tmp_path / "dataset/user_reviews.jsonl").read_text(encoding="utf-8")
    written = json.loads(line)
    assert list(written) == [*(field.name for field in fields(UserReview)), *KEPT]
    assert (written["captured_at"], written["date"]) == ("2017-07-16T12:00:00Z", "2014-01-09")
    assert (written["text"], written["score"], written["spoiler"]) == ("é\n映画", None, None)
    assert line.isascii() is False


def test_a_table_has_a_heading_and_empty_cells_for_none(engine, tmp_path):
    store(engine, [film("her", metascore=0, genres=["Drama"], must_see=False, release_date=THEN.date())])
    export(engine, tmp_path / "dataset", "csv")
    with (tmp_path / "dataset/movies.csv").open(encoding="utf-8", newline="") as file:
        heading, row = csv.reader(file)
    lists = {name for name, column in MOVIE.items() if column.type == "list"}
    assert heading == [*(field.name for field in fields(Movie) if field.name not in lists), "first_seen_at"]
    cells = dict(zip(heading, row, strict=True))
    assert (cells["metascore"], cells["must_see"], cells["title"]) == ("0", "false", "")
    assert (cells["release_date"], cells["captured_at"]) == ("2017-07-16", "2017-07-16T12:00:00Z")
    genres = (tmp_path / "dataset/movie_genres.csv").read_text(encoding="utf-8")
    assert genres.splitlines() == ['"movie_slug","position","name"', '"her","1","Drama"']


def test_a_database_holds_itself_to_its_types(engine, tmp_path):
    store(engine, WHOLE)
    export(engine, tmp_path / "dataset", "sqlite")
    assert not list((tmp_path / "dataset").glob("*-*"))
    with closing(sqlite3.connect(tmp_path / "dataset/metacrawl.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.execute("PRAGMA foreign_keys = ON")
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        for wrong in ("score = 11", "score = 'ten'", "movie_slug = 'gone'", "key = NULL", "spoiler = 2"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(f"UPDATE user_reviews SET {wrong}")  # noqa: S608
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM user_reviews WHERE movie_slug = 'her'").fetchone()
        assert "USING INDEX" in plan[-1]


def test_parquet_has_native_types_and_bounded_groups(engine, tmp_path):
    store(engine, WHOLE)
    export(engine, tmp_path / "dataset", "parquet")
    schema = pl.read_parquet_schema(tmp_path / "dataset/user_reviews.parquet")
    assert (schema["date"], schema["edited_at"]) == (pl.Date, pl.Datetime("ms", "UTC"))
    movies = pl.read_parquet_schema(tmp_path / "dataset/movies.parquet")
    assert movies["cast"] == pl.List(pl.Struct({"name": pl.String, "slug": pl.String, "role": pl.String}))
    with duckdb.connect() as connection:
        path = tmp_path / "dataset/user_reviews.parquet"
        found = connection.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{path}')").fetchall()  # noqa: S608
    assert found == [("ZSTD",)]


def test_a_film_of_which_only_reviews_were_read_has_a_row(engine, tmp_path):
    store(engine, [film("moonlight"), review("Ann", layout="api", source_url="https://x/1"), review("Bob")])
    for form in FORMS:
        dataset = export(engine, tmp_path / form, form)
        assert (dataset.rows["movies"], dataset.rows["user_reviews"]) == (2, 2)
    first, second = with_json(tmp_path / "jsonl", tables_of(nested=True)[0])
    assert (first["slug"], first["url"], first["layout"]) == ("her", f"{MOVIE_URL}her", "api")
    assert (first["title"], first["genres"], second["slug"]) == (None, [], "moonlight")


def test_a_database_without_a_record_leaves_an_earlier_dataset_alone(engine, tmp_path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset/movies.jsonl").write_text("of yesterday", encoding="utf-8")
    with pytest.raises(NothingError, match="crawl first"):
        export(engine, tmp_path / "dataset", "jsonl")
    assert (tmp_path / "dataset/movies.jsonl").read_text(encoding="utf-8") == "of yesterday"
    assert not (tmp_path / ".dataset.versions").exists()


@EACH_FORM
def test_a_value_out_of_bounds_is_not_published(engine, tmp_path, form):
    """No crawl writes it; and what was published stays."""
    store(engine, [film("her"), review("Ann"), review("Bob")])
    export(engine, tmp_path / "dataset", form)
    before = (tmp_path / "dataset").readlink()
    table = TABLES[UserReview]
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.key == "her/Bob").values(score=11))
    with pytest.raises(DamagedError, match="nothing was published"):
        export(engine, tmp_path / "dataset", form)
    assert (tmp_path / "dataset").readlink() == before
    assert sorted(path.name for path in (tmp_path / ".dataset.versions").iterdir()) == [
        before.name,
        "lock",
    ]


@EACH_FORM
def test_all_tables_are_of_one_moment(database_url, tmp_path, monkeypatch, form):
    """A crawl goes on while they are read."""
    engine = connect(database_url)
    store(engine, [film("her"), review("Ann")])
    reader = connect_to_read(database_url)
    real = exporting.rows_of

    def rows_of(connection, table, filters):
        if table.name == "user_reviews":
            store(engine, [film("moonlight"), review("Bob")])
        return real(connection, table, filters)

    monkeypatch.setattr(exporting, "rows_of", rows_of)
    try:
        dataset = export(reader, tmp_path / "dataset", form)
    finally:
        reader.dispose()
        engine.dispose()
    assert (dataset.rows["movies"], dataset.rows["user_reviews"]) == (1, 1)
