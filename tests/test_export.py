import csv
import datetime as dt
import json
import types
from dataclasses import fields
from typing import get_args, get_origin, get_type_hints

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metacrawl.cells import from_cell
from metacrawl.database import records, runs
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.schema import TABLES
from metacrawl.export import export
from metacrawl.items import RECORDS, Award, Credit, CriticReview, Movie, Ranking, UserReview
from metacrawl.outcome import NothingError

THEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)

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


def as_stored(record):
    """Give a film the key and the page that every film has."""
    if isinstance(record, Movie):
        record.slug = record.key
        record.source_url = "https://www.metacritic.com/movie/her"
    return record


def any_records():
    kinds = st.one_of(*map(records_of, RECORDS)).map(as_stored)
    return st.lists(kinds, max_size=6, unique_by=lambda record: (type(record), record.key))


# --- Reading the files


def read_jsonl(path, kind):
    with path.open(encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    assert lines.pop() == ""
    return [msgspec.json.decode(line, type=kind) for line in lines]


def read_csv(path, kind):
    """Read as DATA_FORMAT.md says: an empty cell is none, text may be marked, everything but text is JSON."""
    hints = get_type_hints(kind)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [msgspec.convert({name: cell_value(hints[name], cell) for name, cell in row.items()}, kind) for row in rows]


def cell_value(hint, cell):
    if cell == "":
        return "" if hint is str else None
    is_text = {str, dt.date, dt.datetime} & {hint, *get_args(hint)}
    text = from_cell(cell)
    return text if is_text and get_origin(hint) is not list else json.loads(text)


READERS = {"jsonl": read_jsonl, "csv": read_csv}
FORMS = pytest.mark.parametrize("form", sorted(READERS))


def store(engine, met):
    with engine.begin() as connection:
        records.save(connection, runs.enter(connection, "job", "movies", {}), met)


def read_all(folder, form):
    return [record for kind, table in TABLES.items() for record in READERS[form](folder / f"{table.name}.{form}", kind)]


@pytest.fixture
def engine(tmp_path):
    opened = connect(f"sqlite:///{tmp_path / 'metacrawl.db'}")
    yield opened
    opened.dispose()


def film(slug, **fields):
    return Movie(key=slug, slug=slug, source_url=f"https://www.metacritic.com/movie/{slug}", captured_at=THEN, **fields)


def review(author, **fields):
    return UserReview(key=f"her/{author}", movie_slug="her", author=author, captured_at=THEN, **fields)


# --- Tests


@FORMS
@given(met=any_records().filter(len))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_record_comes_back_from_the_files_as_it_was(tmp_path_factory, form, met):
    folder = tmp_path_factory.mktemp("dataset")
    engine = connect("sqlite://")
    try:
        store(engine, met)
        export(engine, folder, form)
    finally:
        engine.dispose()
    in_order = sorted(met, key=lambda record: (RECORDS.index(type(record)), record.key))
    assert read_all(folder, form) == in_order


@FORMS
def test_a_lone_carriage_return_comes_back_too(engine, tmp_path, form):
    store(engine, [review("Ann", text="one\rtwo")])
    export(engine, tmp_path, form)
    assert [found.text for found in read_all(tmp_path, form)] == ["one\rtwo"]


@FORMS
def test_there_is_a_file_of_each_kind_with_its_number_of_records(engine, tmp_path, form):
    store(engine, [film("her"), film("moonlight"), review("Ann")])
    folder = tmp_path / "new" / "dataset"
    written = export(engine, folder, form)
    assert written == {
        folder / f"movies.{form}": 2,
        folder / f"critic_reviews.{form}": 0,
        folder / f"user_reviews.{form}": 1,
    }
    assert sorted(folder.iterdir()) == sorted(written)


@FORMS
def test_records_stand_in_the_order_of_their_keys(engine, tmp_path, form):
    names = ["b", "B", "a", "é", "Z", "a-1"]
    store(engine, [review(name) for name in names])
    export(engine, tmp_path, form)
    assert [found.author for found in read_all(tmp_path, form)] == sorted(names)


@FORMS
def test_two_exports_of_one_database_are_the_same(engine, tmp_path, form):
    store(engine, [film("her", genres=["Drama"]), review("Ann", text='"a"\nb,')])
    one, other = (export(engine, tmp_path / name, form) for name in ("one", "other"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_lines_of_json_have_every_field_in_order(engine, tmp_path):
    store(engine, [review("Ann", date=dt.date(2014, 1, 9), text="é\n映画")])
    export(engine, tmp_path, "jsonl")
    line = (tmp_path / "user_reviews.jsonl").read_text(encoding="utf-8")
    written = json.loads(line)
    assert list(written) == [field.name for field in fields(UserReview)]
    assert (written["captured_at"], written["date"]) == ("2017-07-16T12:00:00Z", "2014-01-09")
    assert (written["text"], written["score"], written["spoiler"]) == ("é\n映画", None, None)
    assert line.isascii() is False


def test_a_table_has_a_heading_and_empty_cells_for_none(engine, tmp_path):
    store(engine, [film("her", metascore=0, genres=["Drama", "Comedy"], must_see=False, release_date=THEN.date())])
    export(engine, tmp_path, "csv")
    with (tmp_path / "movies.csv").open(encoding="utf-8", newline="") as file:
        heading, row = csv.reader(file)
    assert heading == [field.name for field in fields(Movie)]
    cells = dict(zip(heading, row, strict=True))
    assert (cells["metascore"], cells["genres"], cells["must_see"]) == ("0", '["Drama","Comedy"]', "false")
    assert (cells["release_date"], cells["captured_at"]) == ("2017-07-16", "2017-07-16T12:00:00Z")
    assert (cells["title"], cells["directors"]) == ("", "[]")


def test_a_database_without_a_record_leaves_an_earlier_export_alone(engine, tmp_path):
    (tmp_path / "movies.jsonl").write_text("of yesterday", encoding="utf-8")
    with pytest.raises(NothingError, match="crawl first"):
        export(engine, tmp_path, "jsonl")
    assert (tmp_path / "movies.jsonl").read_text(encoding="utf-8") == "of yesterday"


def test_a_kind_without_a_record_gives_an_empty_file(engine, tmp_path):
    store(engine, [film("her")])
    export(engine, tmp_path / "jsonl", "jsonl")
    export(engine, tmp_path / "csv", "csv")
    assert (tmp_path / "jsonl" / "user_reviews.jsonl").read_bytes() == b""
    assert (tmp_path / "csv" / "user_reviews.csv").read_text(encoding="utf-8").startswith('"key",')


def test_a_database_opened_to_read_can_be_exported(engine, tmp_path):
    store(engine, [film("her")])
    reader = connect_to_read(f"sqlite:///{tmp_path / 'metacrawl.db'}")
    try:
        assert export(reader, tmp_path / "dataset", "jsonl")[tmp_path / "dataset" / "movies.jsonl"] == 1
    finally:
        reader.dispose()


@FORMS
def test_an_export_that_fails_half_way_leaves_the_old_file_whole(engine, tmp_path, form):
    store(engine, [review("Ann"), review("Bob")])
    path = tmp_path / f"user_reviews.{form}"
    export(engine, tmp_path, form)
    before = path.read_bytes()
    # What no crawl writes, behind what one does.
    store(engine, [review("Amy")])
    table = TABLES[UserReview]
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.key == "her/Bob").values(score=11))
    with pytest.raises(msgspec.ValidationError):
        export(engine, tmp_path, form)
    assert path.read_bytes() == before


@FORMS
def test_an_export_after_one_that_failed_is_whole(engine, tmp_path, form):
    store(engine, [review("Ann", text="x" * 10_000)])
    unfinished = tmp_path / f".user_reviews.{form}.unfinished"
    unfinished.write_text("left over\n" * 10_000)
    export(engine, tmp_path, form)
    assert [found.author for found in read_all(tmp_path, form)] == ["Ann"]
    assert not unfinished.exists()


@FORMS
def test_a_link_in_the_folder_is_not_followed(engine, tmp_path, form):
    """Neither one under a file's own name nor one under the name that it has while it is written."""
    store(engine, [review("Ann")])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("of others", encoding="utf-8")
    folder = tmp_path / "dataset"
    folder.mkdir()
    for name in (f"user_reviews.{form}", f".user_reviews.{form}.unfinished"):
        (folder / name).symlink_to(elsewhere)
    export(engine, folder, form)
    assert elsewhere.read_text(encoding="utf-8") == "of others"
    assert [found.author for found in read_all(folder, form)] == ["Ann"]
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_a_folder_that_is_a_file_cannot_be_written(engine, tmp_path):
    store(engine, [film("her")])
    (tmp_path / "dataset").touch()
    with pytest.raises(OSError, match="dataset"):
        export(engine, tmp_path / "dataset", "jsonl")
