"""Somebody who reads a dataset all the time, and notes whatever is no whole dataset of one state of the database."""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pyarrow.parquet as pq

from tests.crawl.waiting import wait_for

# Of each table, a column that says which state of the database a row is of.
TELLING = {"movies": "title", "critic_reviews": "excerpt", "user_reviews": "text"}
SUMS = "SHA256SUMS"
# Seconds, so that others get on, too.
PAUSE = 0.05


def jsonl(path: Path, _table: str, column: str) -> list[Any]:
    return [json.loads(line)[column] for line in path.read_bytes().splitlines()]


def from_csv(path: Path, _table: str, column: str) -> list[Any]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file, strict=True)]


def parquet(path: Path, _table: str, column: str) -> list[Any]:
    found: list[Any] = pq.read_table(path, columns=[column])[column].to_pylist()
    return found


def sqlite(path: Path, table: str, column: str) -> list[Any]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return [value for (value,) in connection.execute(f"SELECT {column} FROM {table}")]  # noqa: S608 - ours


READERS: Mapping[str, Callable[[Path, str, str], list[Any]]] = {
    "jsonl": jsonl,
    "csv": from_csv,
    "parquet": parquet,
    "sqlite": sqlite,
}


def read_whole(folder: Path) -> str:
    """Read a dataset, and tell of which state it is. Raises some `Exception` for one that is not whole."""
    folder = folder.resolve(strict=True)
    sums = dict(reversed(line.split("  ")) for line in (folder / SUMS).read_text("utf-8").splitlines())
    assert {path.name for path in folder.iterdir()} == {*sums, SUMS}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    described = json.loads((folder / "datapackage.json").read_text("utf-8"))
    form, rows = described["metacrawl"]["format"], described["metacrawl"]["rows"]
    assert {resource["path"] for resource in described["resources"]} < sums.keys()
    states = set()
    for table, column in TELLING.items():
        name = "metacrawl.sqlite" if form == "sqlite" else f"{table}.{form}"
        found = READERS[form](folder / name, table, column)
        assert len(found) == rows[table], table
        states |= set(found)
    (state,) = states
    # As many reviews as there were then.
    assert rows["user_reviews"] == reviews_of(state), state
    return str(state)


def reviews_of(state: str) -> int:
    """Tell how many user reviews a state has."""
    return 100 + int(state.split()[1])


class Reader:
    """Reads a dataset again and again until the block ends; keeps each state that is another than the one before."""

    def __init__(self, folder: Path, state_of: Callable[[Path], Any] = read_whole, pause: float = PAUSE) -> None:
        self.folder = folder
        self.state_of = state_of
        self.pause = pause
        self.seen: list[Any] = []
        self.faults: list[str] = []
        self.rounds = 0
        self.ended = Event()
        self.thread = Thread(target=self.read)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def read(self) -> None:
        while not self.ended.wait(self.pause):
            self.look()
            self.rounds += 1

    def look(self) -> None:
        try:
            state = self.state_of(self.folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, that is no dataset
            self.faults.append(f"{type(error).__name__}: {error}")
            return
        if self.seen[-1:] != [state]:
            self.seen.append(state)

    def catch_up(self) -> None:
        """Wait until it has read what is there now: it is promised a version only until the next but one."""
        rounds = self.rounds
        wait_for(lambda: self.rounds > rounds + 1, seconds=60)
