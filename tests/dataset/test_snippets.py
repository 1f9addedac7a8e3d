"""docs/datasets.md and the cards of datasets: their snippets run as they stand, and give what is there."""

import json
import re
import runpy
import shlex
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import duckdb
import pandas as pd
import polars as pl
import pytest

from metacrawl.items import CriticReview, Movie, UserReview
from tests import datasets

DOCS = Path(__file__).parent.parent.parent / "docs" / "datasets.md"
FORMS = {"Parquet": "parquet", "CSV": "csv", "JSON Lines": "jsonl", "SQLite": "sqlite"}


def snippets(path, language):
    """Read the blocks of code in a language, each with the heading that it stands under."""
    found = re.compile(rf"^## (?P<heading>[^\n]+)$|^```{language}\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
    heading = ""
    for match in found.finditer(path.read_text(encoding="utf-8")):
        heading = match["heading"] or heading
        if match["code"]:
            yield heading, match["code"]


PYTHON = list(snippets(DOCS, "python"))


def run(code, folder, monkeypatch, tmp_path):
    """Run a snippet in a folder; gives its names."""
    (tmp_path / "snippet.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(folder)
    return runpy.run_path(str(tmp_path / "snippet.py"))


def texts(reviews):
    """List the texts of a table of reviews, whatever library's it is."""
    if isinstance(reviews, duckdb.DuckDBPyRelation):
        found = [text for (text,) in reviews.select("text").fetchall()]
    elif isinstance(reviews, list):
        found = [review["text"] if isinstance(review, dict) else review[2] for review in reviews]
    else:
        found = reviews["text"].to_list()
    return [None if pd.isna(text) else text for text in found]


def numbers(table):
    """Make a dictionary of a table of names and numbers, whatever library's it is."""
    if isinstance(table, pl.DataFrame):
        return dict(table.rows())
    return dict(table.fetchall() if isinstance(table, duckdb.DuckDBPyRelation) else table)


@pytest.fixture
def of_kind(demo_records):
    return lambda kind: sorted((record for record in demo_records if isinstance(record, kind)), key=lambda one: one.key)


@pytest.mark.parametrize(("heading", "code"), PYTHON, ids=[f"{number}" for number in range(len(PYTHON))])
def test_a_snippet_reads_all_reviews_as_they_are(heading, code, demo_dataset, of_kind, monkeypatch, tmp_path):
    names = run(code, demo_dataset(FORMS[heading]), monkeypatch, tmp_path)
    assert texts(names["reviews"]) == [review.text for review in of_kind(UserReview)]
    assert numbers(names["genres"]) == Counter(genre for film in of_kind(Movie) for genre in film.genres)


def test_there_is_a_snippet_for_each_form():
    assert {heading for heading, _ in PYTHON} == set(FORMS)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_the_snippet_of_a_card_reads_the_reviews(form, demo_dataset, of_kind, monkeypatch, tmp_path):
    [(_, code)] = snippets(demo_dataset(form) / "README.md", "python")
    names = run(code, demo_dataset(form), monkeypatch, tmp_path)
    assert [text or None for text in texts(names["reviews"])] == [review.text for review in of_kind(UserReview)]


def test_questions_in_sql_have_their_answers(demo_dataset, of_kind):
    films = {film.slug: film for film in of_kind(Movie)}
    scored = [film for film in films.values() if film.metascore is not None]
    with closing(sqlite3.connect(demo_dataset("sqlite") / "metacrawl.sqlite")) as database:
        asked = [code.replace("'her'", f"'{datasets.RESCORED}'") for _, code in snippets(DOCS, "sql")]
        best, disputed, generous, over_time, changed, new = [database.execute(code).fetchall() for code in asked]
    years = {film.release_year for film in scored}
    assert {(year, score) for year, _, score, _ in best} == {
        (year, max(film.metascore for film in scored if film.release_year == year)) for year in years
    }
    gaps = [film.metascore - 10 * film.user_score for film in scored if film.user_score is not None]
    assert [gap for *_, gap in disputed] == pytest.approx(sorted(gaps, key=abs, reverse=True)[:20])
    above = {}
    for review in of_kind(CriticReview):
        if None not in (review.score, films[review.movie_slug].metascore):
            above.setdefault(review.publication, []).append(review.score - films[review.movie_slug].metascore)
    means = {name: sum(found) / len(found) for name, found in above.items() if len(found) >= 5}
    assert generous
    assert {name: mean for name, _, mean in generous}.items() <= pytest.approx(means).expected.items()
    metascore = films[datasets.RESCORED].metascore
    assert [score for _, score, *_ in over_time] == [metascore + 1, metascore]
    assert {(key, field) for _, _, key, field, *_ in changed} == {
        (datasets.RESCORED, "metascore"),
        (datasets.EDITED, "text"),
        (datasets.GONE, "vanished_at"),
    }
    assert [key for key, *_ in new] == [datasets.NEW]


@pytest.fixture
def datasette(demo_dataset):
    """Datasette on a dataset, started as the page says; gives its address."""
    [command] = [code for heading, code in snippets(DOCS, "sh") if heading == "Datasette"]
    program, *arguments = shlex.split(command)
    process = subprocess.Popen(
        [sys.executable, "-m", program, *arguments, "--port", "0"],
        cwd=demo_dataset("sqlite"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    with process, process.stderr as lines:
        yield next(match[0] for line in lines if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
        process.terminate()


def test_datasette_shows_texts_as_texts(datasette):
    reviews = f"{datasette}/metacrawl/user_reviews"
    with urlopen(f"{reviews}.json?_shape=array&author=mallory-0") as answer:  # noqa: S310 - on this machine
        assert [review["text"] for review in json.load(answer)] == [datasets.SCRIPT]
    with urlopen(f"{reviews}?author=mallory-0") as answer:  # noqa: S310 - on this machine
        page = answer.read().decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
