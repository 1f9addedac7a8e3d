"""What a dataset says of itself: programs that know the standards accept it, and people are not led astray."""

import csv
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from metacrawl.authors import POLICIES
from metacrawl.database import records, runs
from metacrawl.database.connection import connect
from metacrawl.dataset import about, card, croissant, datapackage
from metacrawl.dataset.export import export
from metacrawl.dataset.model import Dataset, File
from metacrawl.dataset.tables import tables_of
from metacrawl.outcome import Outcome
from tests import datasets

FORMS = ("jsonl", "csv", "parquet", "sqlite")
EACH_FORM = pytest.mark.parametrize("form", FORMS)
NO_NETWORK = """
import socket

def refuse(*_):
    raise SystemExit("asked for the network")

socket.socket.connect = socket.getaddrinfo = refuse
"""
READ_CROISSANT = """
import json, sys, mlcroissant

dataset = mlcroissant.Dataset("croissant.json")
found = {table.id: list(dataset.records(table.id)) for table in dataset.metadata.record_sets}
def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value.tzinfo else value.strftime("%Y-%m-%d")

json.dump(found, sys.stdout, default=plain)
"""


@pytest.fixture
def command(tmp_path):
    """Runs a program of the environment in a folder, without a network."""
    (tmp_path / "no_network").mkdir()
    (tmp_path / "no_network" / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")

    def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name(program), *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "no_network")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_program_that_asks_for_the_network_would_fail(command, tmp_path):
    run = command(tmp_path, "python", "-c", "import urllib.request as url; url.urlopen('http://127.0.0.1:9/')")
    assert "asked for the network" in run.stderr


# --- Data Package


@EACH_FORM
def test_frictionless_finds_nothing_wrong(form, demo_dataset, command):
    run = command(demo_dataset(form), "frictionless", "validate", "datapackage.json", "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    tasks = {task["place"]: task for task in json.loads(run.stdout)["tasks"]}
    assert set(tasks) == {path.name for path in demo_dataset(form).glob(f"*.{form}")}
    read = "table" if form in {"csv", "jsonl"} else "file"
    assert {task["type"] for task in tasks.values()} == {read}


WRONG = (
    ("score", "11", "constraint-error"),
    ("movie_slug", "no-such-film", "foreign-key"),
    ("date", "yesterday", "type-error"),
    ("key", "", "primary-key"),
)


def test_frictionless_finds_what_is_wrong(demo_dataset, tmp_path, command):
    folder = shutil.copytree(demo_dataset("csv"), tmp_path / "changed")
    with (folder / "user_reviews.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, (column, value, _) in zip(rows, WRONG, strict=False):
        row[column] = value
    with (folder / "user_reviews.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    assert {"hash-count", "byte-count"} <= errors(folder, command)
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in described["resources"]:
        del resource["hash"], resource["bytes"]
    (folder / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")
    assert {error for _, _, error in WRONG} <= errors(folder, command)


def errors(folder, command):
    """Name what Frictionless finds wrong in a dataset."""
    run = command(folder, "frictionless", "validate", "datapackage.json", "--json")
    assert run.returncode == 1, run.stderr
    return {error["type"] for task in json.loads(run.stdout)["tasks"] for error in task["errors"]}


# --- Croissant


@EACH_FORM
def test_mlcroissant_finds_nothing_wrong(form, demo_dataset, command):
    run = command(demo_dataset(form), "mlcroissant", "validate", "--jsonld", "croissant.json")
    assert run.returncode == 0, run.stderr
    assert [line for line in run.stderr.splitlines() if not line.endswith("] Done.")] == []


def read_croissant(folder, command):
    """Read all tables with Croissant's reader, as in JSON Lines."""
    run = command(folder, "python", "-W", "ignore", "-c", READ_CROISSANT)
    assert run.returncode == 0, run.stderr
    return {table: [without_path(row) for row in rows] for table, rows in json.loads(run.stdout).items()}


def without_path(value):
    """Name a field `name` that Croissant names `movies/cast/name`."""
    if isinstance(value, list):
        return [without_path(one) for one in value]
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: without_path(one) for name, one in value.items()}
    return value


def read_lines(folder, table):
    with (folder / f"{table}.jsonl").open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


# What Croissant's reader makes something else of: ids of digits, `NA` and `null`, and the marks of safe cells.
GUESSED = {
    "parquet": set(),
    "jsonl": {("user_reviews", "review_id")},
    "csv": {("user_reviews", "review_id"), ("user_reviews", "text"), ("changes", "old")},
}


@pytest.mark.parametrize("form", GUESSED)
def test_mlcroissant_reads_the_records_as_they_are(form, demo_dataset, command):
    found = read_croissant(demo_dataset(form), command)
    tables = tables_of(nested=form != "csv")
    assert set(found) == {table.name for table in tables}
    for table in tables_of(nested=True):
        exact = read_lines(demo_dataset("jsonl"), table.name)
        names = {column.name for column in next(one for one in tables if one.name == table.name).columns}
        differing = {
            (table.name, name)
            for row, line in zip(found[table.name], exact, strict=True)
            for name in names
            if row[name] != line[name]
        }
        assert differing == {place for place in GUESSED[form] if place[0] == table.name}


# --- A dataset with tables that are empty


@pytest.fixture
def little_dataset(tmp_path):
    """Gives a dataset, in a form, of a single review of a film of which nothing else was read."""

    def exported(form: str) -> Path:
        engine = connect("sqlite://")
        with engine.begin() as connection:
            run = runs.enter(connection, "job", "user_reviews", {})
            records.save(connection, run, [datasets.hostile_review("her", "Ann", "Fine.")])
            runs.finish(connection, run, Outcome.COMPLETE, "all")
        export(engine, tmp_path / form, form)
        engine.dispose()
        return tmp_path / form

    return exported


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_dataset_with_empty_tables_is_accepted(form, little_dataset, command):
    folder = little_dataset(form)
    run = command(folder, "frictionless", "validate", "datapackage.json")
    assert run.returncode == 0, run.stdout + run.stderr
    rows = {table: len(found) for table, found in read_croissant(folder, command).items() if found}
    assert rows == {"movies": 1, "user_reviews": 1}


# --- Both


@EACH_FORM
def test_the_descriptions_tell_of_the_files(form, demo_dataset):
    folder = demo_dataset(form)
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    files = {path.name: path.stat().st_size for path in folder.glob(f"*.{form}")}
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert {one["path"]: (one["bytes"], one["hash"]) for one in package["resources"]} == {
        name: (size, f"sha256:{sums[name]}") for name, size in files.items()
    }
    said = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    assert {one["contentUrl"]: (one["contentSize"], one["sha256"]) for one in said["distribution"]} == {
        name: (f"{size} B", sums[name]) for name, size in files.items()
    }


# --- The card

MOVIES = tables_of(nested=True)[0]
NOW = dt.datetime(2026, 11, 3, 4, 5, 6, tzinfo=dt.UTC)
WHOLE = Dataset(
    form="jsonl",
    created_at=NOW,
    version="0.1.0",
    files=(File(name="movies.jsonl", tables=(MOVIES,), rows=2, bytes=10, sha256="0" * 64),),
    rows={"movies": 2},
    filters={},
    sources=("https://www.metacritic.com",),
    years=(2010, 2013),
    captured=(NOW - dt.timedelta(days=1), NOW),
    layouts={"2016": 2},
    completeness={"complete": 3, "short": 1},
    missing=7,
    partial="",
    authors="keep",
)
HOSTILE = f"her`</code>{datasets.SCRIPT}\n\n# [link](https://example.org) | cell\u202e"


def rendered(text):
    """Give the HTML of a card where all HTML is let through, without its front matter."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text.split("---\n", 2)[2])


def test_a_whole_dataset_is_not_said_to_be_a_part():
    assert "not a whole dataset" not in card.write(WHOLE)
    assert "a part of" not in card.write(WHOLE)


def test_what_is_lacking_stands_first():
    page = card.write(replace(WHOLE, partial="run 3 ended early", filters={"year": "2010"})).partition("# Films")[2]
    lines = [line for line in page.splitlines()[1:] if line]
    assert lines[0] == "> **This is not a whole dataset**: `run 3 ended early`"
    assert lines[1] == "> **This is a part of what was read**: year `2010`"


@pytest.mark.parametrize("write", [datapackage.write, croissant.write], ids=["datapackage", "croissant"])
def test_what_is_lacking_stands_first_for_programs_too(write):
    said = json.loads(write(replace(WHOLE, partial="run 3 ended early", filters={"year": "2010"})))["description"]
    assert said.startswith(
        "This is not a whole dataset: run 3 ended early. This is a part of what was read: year 2010. 2 movies."
    )
    assert json.loads(write(WHOLE))["description"].startswith("2 movies.")


def test_the_card_tells_what_there_is():
    page = card.write(WHOLE)
    for part in (
        "2 movies. Shown by the site from 2026-11-02 to 2026-11-03, and read by metacrawl 0.1.0.",
        "Years of release: 2010 to 2013",
        "3 complete, 1 short, 0 unknown; 7 reviews are missing",
        "No licence is granted for the content",
        "@software{metacrawl,",
        "urldate = {2026-11-03}",
        "version 2026.11.3+040506",
        about.AUTHORS["keep"],
        "| `metascore` | integer or null |",
        "| `cast` | list of name, slug, role |",
    ):
        assert part in page


@pytest.mark.parametrize("policy", POLICIES)
def test_the_card_tells_what_is_kept_of_authors(policy):
    assert about.AUTHORS[policy] in card.write(replace(WHOLE, authors=policy))


def test_a_hub_finds_the_files_of_each_table():
    matter = yaml.safe_load(card.write(WHOLE).split("---\n")[1])
    assert matter["configs"] == [{"config_name": "movies", "data_files": "movies.jsonl"}]
    assert matter["license"] == "other"


@pytest.mark.parametrize(
    "dataset",
    [
        replace(WHOLE, partial=HOSTILE),
        replace(WHOLE, filters={"movie": HOSTILE}),
        replace(WHOLE, layouts={HOSTILE: 1}),
    ],
    ids=["partial", "filters", "layouts"],
)
def test_what_comes_from_pages_is_text_in_the_card(dataset, monkeypatch):
    page = rendered(card.write(dataset))
    assert "&lt;script&gt;alert(1)" in page
    assert not any(markup in page for markup in ("<script", "<img", "<a ", "\u202e"))
    assert page.count("<h1>") == 1
    monkeypatch.setattr(card, "code", lambda text: text)
    assert "<script" in rendered(card.write(dataset))


def test_a_dataset_of_nothing_known_is_described_too():
    little = replace(WHOLE, sources=(), years=None, captured=None, layouts={}, completeness={}, missing=0)
    assert "Nothing is known of what the site has beyond it" in card.write(little)
    assert json.loads(datapackage.write(little))["resources"]
    assert json.loads(croissant.write(little))["recordSet"]
