"""What `scrapy export` is measured against: the same columns of the same rows, with nothing but the library.

python -m benchmarks.bare FORMAT DATABASE FOLDER
"""

import csv
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

TABLES = ("movies", "critic_reviews", "user_reviews")
# What a dataset does not have of them.
LEFT_OUT = {"movies": {"seen_run", "vanished_at"}, "critic_reviews": {"seen_run"}, "user_reviews": {"seen_run"}}
AT_ONCE = 10_000


def write_jsonl(folder: Path, table: str, names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with (folder / f"{table}.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")


def write_csv(folder: Path, table: str, names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(names)
        writer.writerows(rows)


def write_parquet(folder: Path, table: str, _names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - is no part of the others' seconds and memory
    import pyarrow.parquet as pq  # noqa: PLC0415

    from metacrawl.dataset.as_parquet import schema_of  # noqa: PLC0415
    from metacrawl.dataset.tables import tables_of  # noqa: PLC0415

    (found,) = (each for each in tables_of(nested=True) if each.name == table)
    schema = schema_of(found)
    with pq.ParquetWriter(folder / f"{table}.parquet", schema, compression="zstd") as writer:
        while batch := list(islice(rows, AT_ONCE)):
            columns = zip(*batch, strict=True)
            arrays = [arrow(pa, column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def arrow(pa: Any, column: Sequence[Any], kind: Any) -> Any:
    """Make an array; what SQLite has as text is read."""
    if pa.types.is_temporal(kind):
        return pa.array(column, pa.string()).cast(kind)
    return pa.array(
        [None if text is None else json.loads(text) for text in column] if pa.types.is_list(kind) else column, kind
    )


def write_sqlite(folder: Path, table: str, names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(folder / "metacrawl.sqlite")) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE {table} ({quoted(names)}, PRIMARY KEY (key))")
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)  # noqa: S608 - ours
        for name in {"movie_slug", "date"} & set(names):
            connection.execute(f"CREATE INDEX {table}_{name} ON {table} ({name})")


def quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


BARE: Mapping[str, Callable[[Path, str, Sequence[str], Iterator[tuple[Any, ...]]], None]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
    "sqlite": write_sqlite,
}


def main(form: str, database: str, folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        for table in TABLES:
            columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
            names = [name for name in columns if name not in LEFT_OUT[table]]
            query = f"SELECT {quoted(names)} FROM {table} ORDER BY key"  # noqa: S608 - names of ours
            BARE[form](folder, table, names, connection.execute(query))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
