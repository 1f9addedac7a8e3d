"""CSV that bites nobody who opens it in a spreadsheet, and that is read back exactly."""

import csv
import datetime as dt
import doctest
import socket
import tempfile
from io import BytesIO, StringIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.exporters import CsvItemExporter

from metacrawl import cells
from metacrawl.cells import SafeCsvItemExporter, cell_of, from_cell, to_cell
from metacrawl.dataset import as_csv
from metacrawl.dataset.model import Table
from metacrawl.dataset.tables import columns_of
from metacrawl.items import Credit, CriticReview, UserReview
from tests import office
from tests.conftest import lack

FORMULAS = [
    *("=1+1", "=1", "+1+1", "-1+1", "@SUM(1+1)", "==1", "=A1", "=SUM(1;1)", "=-1", "-", "=", "@someone", "- a list"),
    *("＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "﹦1+1"),  # noqa: RUF001
    *("=cmd|'/c calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", '=DDE("soffice";"x";"y")', "-2+3+cmd|' /C calc'!A0"),
    *('=HYPERLINK("http://127.0.0.1/","a")', '=IMPORTXML("http://127.0.0.1/","//a")', "=1+1\nand more"),
    *(" =1+1", "   +1+1", "\u00a0=1+1", "\u3000=1+1", "\u200b=1+1", "\ufeff=1+1", "\u2028=1+1", "\u2060@x"),
    *('"=1+1"', '""=1+1', "'=1+1", "''=1+1", " ' =1+1", "'", "'tis"),
]
# They begin a cell in the middle of a text, where a program takes another separator or does not know of quotes.
INNER = [
    *("one;=1+1;two", ";=1+1", ";;=1+1;", "one; =1+1", 'one;"=1+1;', '";=1+1;"', '"";=1+1;""', 'one";=1+1;"two'),
    *(
        "one\n=1+1",
        "one\n\n=1+1\n",
        "one\n- two\n- three",
        "\n=1+1",
        '"\n=1+1\n"',
        "one\t=1+1\ttwo",
        "\t=1+1",
        "\t\t@x",
    ),
    *("one;'=1+1", "one;''=1+1", "one,=1+1,two", '","=1+1', '",=1+1,"', "one\u2028=1+1"),
]
# No formula, and it stays as it is.
PLAIN = [
    *("2 + 2 = 4", "a-b", "someone@example.org", "it's", '"Quoted"', "one; two", "one\ntwo", "90", "tbd", "…", "映画"),
    *("<script>alert(1)</script>", "%s %d {0}", "\\n", "NULL", "a,b", "5 > 4", "\u202eevil", "#N/A", "x" * 5000),
]
# A spreadsheet keeps these not, or not all.
LOST = ["\x0c=1+1", "\r=1+1", "one\r=1+1", "\r\n=1+1", "\0=1+1", "\x01=1+1", "\0", "\t", "\r", "\n", "a\0b"]
ALL = [*FORMULAS, *INNER, *PLAIN, *LOST]


def test_the_examples_hold():
    results = doctest.testmod(cells)
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize("number", range(len(FORMULAS)))
def test_a_formula_is_marked(number):
    assert to_cell(FORMULAS[number]).startswith("'")


@pytest.mark.parametrize("number", range(len(PLAIN)))
def test_other_text_is_not(number):
    assert to_cell(PLAIN[number]) == PLAIN[number]


def test_what_may_be_taken_off_the_beginning_is_marked():
    assert [to_cell(text)[0] for text in ("\0x", "\tx", "\rx", "\nx")] == ["'"] * 4


def test_a_formula_within_a_text_is_marked():
    assert to_cell("one;=1\n- two\t+3") == "one;'=1\n'- two\t'+3"


@given(st.text(st.sampled_from("'\" ;\t\r\n\0=+-@＝a1,\u200b\ufeff")) | st.text())  # noqa: RUF001
def test_every_text_comes_back(text):
    assert from_cell(to_cell(text)) == text


@pytest.mark.parametrize("number", range(len(ALL)))
def test_hostile_texts_come_back(number):
    assert from_cell(to_cell(ALL[number])) == ALL[number]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None),
        ("", ""),
        (0, "0"),
        (8.6, "8.6"),
        (True, "true"),
        (dt.date(2014, 1, 9), "2014-01-09"),
        (dt.datetime(2014, 1, 9, 12, tzinfo=dt.UTC), "2014-01-09T12:00:00Z"),
        ([], "[]"),
        (["=1+1"], '["=1+1"]'),
        (["a;=1+1;b"], '["a;\'=1+1;b"]'),
        ([Credit(name="-")], '[{"name":"-","slug":null,"role":null}]'),
    ],
)
def test_values_are_as_in_json(value, cell):
    assert cell_of(value) == cell


# --- Files

TIME = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)


def reviews_of(texts):
    """Put each text into every field that holds any."""
    names = ("key", "layout", "source_url", "movie_slug", "review_id", "author", "text")
    return [
        UserReview(**dict.fromkeys(names, text), score=number % 11, captured_at=TIME)
        for number, text in enumerate(texts)
    ]


def ours(found):
    """Write records as an export does; lists, which have tables of their own there, left out."""
    columns = [column for column in columns_of(type(found[0])) if column.type != "list"]
    table = Table(name="records", description="", columns=tuple(columns), key=("key",))
    rows = [[msgspec.to_builtins(getattr(record, column.name)) for column in columns] for record in found]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records.csv")
        assert as_csv.write(path, table, iter([rows])) == as_csv.check(path, table) == len(found)
        return path.read_bytes().decode()


def scrapys(found, exporter):
    file = BytesIO()
    made = exporter(file)
    made.start_exporting()
    for record in found:
        made.export_item(record)
    made.finish_exporting()
    return file.getvalue().decode()


def test_plain_scrapys_csv_is_the_same():
    for found in (reviews_of(ALL), [CriticReview(key="-", captured_at=TIME, date=TIME.date(), score=1)]):
        assert scrapys(found, SafeCsvItemExporter) == ours(found)


def test_a_file_is_read_back_exactly():
    found = reviews_of(ALL)
    rows = list(csv.DictReader(StringIO(ours(found), newline="")))
    assert [from_cell(row["text"]) for row in rows] == ALL
    assert [from_cell(row["key"]) for row in rows] == ALL
    assert [row["score"] for row in rows] == [str(record.score) for record in found]


def test_every_cell_is_quoted():
    """So a program that takes another separator does not end a cell within a text."""
    assert ours([UserReview(key="a", score=5)]).splitlines()[1].startswith('"a","","","","","","","5",""')


# --- A spreadsheet


@pytest.fixture(scope="module")
def spreadsheet():
    if not office.installed():
        lack("LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc-nogui")
    return office.opened


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def connections(server):
    number = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return number
        number += 1


def canaries(server):
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    return [f'=WEBSERVICE("{url}")', f'x;=WEBSERVICE("{url}");y', f"='{url}'#$Sheet1.A1", f'=HYPERLINK("{url}")']


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_spreadsheet_computes_nothing(spreadsheet, listener, tmp_path, separator):
    found = reviews_of([*ALL, *canaries(listener)])
    (tmp_path / "reviews.csv").write_bytes(ours(found).encode())
    sheet = spreadsheet(tmp_path / "reviews.csv", tmp_path, separator)
    assert sheet.formulas == []
    assert len(sheet.rows) > len(found)
    assert connections(listener) == 0


def test_a_spreadsheet_shows_each_text_as_it_was(spreadsheet, tmp_path):
    texts = [text for text in ALL if text not in LOST]
    assert len(texts) > 40
    found = reviews_of(texts)
    (tmp_path / "reviews.csv").write_bytes(ours(found).encode())
    heading, *rows = spreadsheet(tmp_path / "reviews.csv", tmp_path).rows
    for name in ("key", "author", "text"):
        column = heading.index(name)
        assert [from_cell(row[column]) for row in rows[: len(texts)]] == texts


@pytest.mark.parametrize("separator", [",", ";"], ids=["comma", "semicolon"])
def test_unguarded_it_would_compute(spreadsheet, listener, tmp_path, separator):
    """The same texts as Scrapy itself writes them."""
    found = reviews_of([*FORMULAS, *INNER, *canaries(listener)])
    (tmp_path / "reviews.csv").write_bytes(scrapys(found, CsvItemExporter).encode())
    sheet = spreadsheet(tmp_path / "reviews.csv", tmp_path, separator)
    assert "of:=1+1" in sheet.formulas


def test_quotes_alone_do_not_help(spreadsheet, tmp_path, monkeypatch):
    monkeypatch.setattr(as_csv, "to_cell", lambda text: text)
    (tmp_path / "reviews.csv").write_bytes(ours(reviews_of(FORMULAS)).encode())
    assert "of:=1+1" in spreadsheet(tmp_path / "reviews.csv", tmp_path).formulas
