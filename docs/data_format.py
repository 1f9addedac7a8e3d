"""Writes DATA_FORMAT.md from the docstrings of the records: `python docs/data_format.py > DATA_FORMAT.md`."""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

sys.path.insert(0, str(Path(__file__).parent.parent))

from msgspec import Meta

from metacrawl import items
from metacrawl.dataset.tables import field_docs, tables_of

HEAD = """\
# Data format

What metacrawl publishes: three kinds of record, their fields in this order. What else is in a dataset stands at
the end; how it is read: [docs/datasets.md](docs/datasets.md).

- A page that lacks a value gives null (lists: `[]`; CSV: an empty cell), never `0`, `""` or `"tbd"`.
- Text keeps its Unicode. A line break of the page is one `\\n`, any other run of white space one space.
- Dates are `YYYY-MM-DD`, timestamps `YYYY-MM-DDTHH:MM:SSZ` in UTC. URLs are absolute.
- In JSON Lines and Parquet lists are within the record. In CSV and SQLite each has a table of its own, and the record
  has no such column.
- In CSV true and false are `true` and `false`, and every cell is in quotes; in SQLite they are 1 and 0. In Parquet days
  and timestamps have types of their own.
- Two different reviews under one key are both kept: the later one's key ends in `/` and 8 hexadecimal digits.

**CSV is for spreadsheets, JSON Lines is exact.** A spreadsheet runs what begins with `=`, `+`, `-` or `@`, whoever
wrote it. So in CSV such text has a `'` before it, as has text that begins with `'`, a tab, a line break or NUL. A
formula behind a `;`, a tab or a line break in a text has one, too: a spreadsheet set to another separator begins a cell
there. Numbers and dates never have one. Take the marks off to have the texts as they were (all cells as text, for
pandas takes a name such as `NA` for none):

```python
from metacrawl.cells import from_cell

reviews = pandas.read_csv("user_reviews.csv", dtype=str, keep_default_na=False).map(from_cell)
```

In the database (tables `movies`, `critic_reviews`, `user_reviews`) each record has `seen_run` besides, the last run of
table `runs` that met it. Table `movie_parts` keeps what each kind of page says of a film, and table `movie_history`
what the film's own page has said over time: an entry per change, as JSON in `fields`, known from `captured_at` to
`last_captured_at`.

*Made from the docstrings in `metacrawl/items.py`: do not edit.*
"""


def type_name(hint: Any) -> str:
    """Name a type as people who read the files know it."""
    if get_origin(hint) is Annotated:
        inner, meta = get_args(hint)
        return f"{type_name(inner)}{bounds(meta)}"
    if get_origin(hint) is list:
        return f"list of {type_name(get_args(hint)[0])}"
    if args := [arg for arg in get_args(hint) if arg is not type(None)]:
        return f"{type_name(args[0])} or null"
    return {"datetime": "timestamp"}.get(hint.__name__, hint.__name__)


def bounds(meta: Meta) -> str:
    """Write a range: 0–100, from 0."""
    if meta.ge is None:
        return ""
    return f" {meta.ge}–{meta.le}" if meta.le is not None and meta.le < 2**63 - 1 else f" from {meta.ge}"


def section(record: type) -> Iterator[str]:
    """Write a record's part of the page."""
    docs, hints = field_docs(record), get_type_hints(record, include_extras=True)
    yield f"\n## {record.__name__}\n\n{inspect.getdoc(record)}\n"
    yield "| field | type | meaning |\n|---|---|---|"
    for field in fields(record):
        meaning = " ".join(docs[field.name].split()).replace("|", "\\|")
        yield f"| `{field.name}` | {type_name(hints[field.name])} | {meaning} |"


def data_format() -> str:
    """Write the page."""
    records = (*items.RECORDS, items.Credit, items.Ranking, items.Award)
    return "\n".join([HEAD.rstrip(), *(line for record in records for line in section(record)), *dataset()]) + "\n"


def dataset() -> Iterator[str]:
    """Write of the tables of a dataset what the records do not say."""
    said = {field.name for record in items.RECORDS for field in fields(record)}
    yield "\n## Files of a dataset\n\n`scrapy export` writes these tables, each in the order of its key:\n"
    yield "| table | key | rows |\n|---|---|---|"
    tables = tables_of(nested=True)
    for table in tables:
        yield f"| `{table.name}` | {', '.join(f'`{name}`' for name in table.key)} | {table.description} |"
    yield "\nBeside the fields of the records above they have:\n"
    yield "| table | column | type | meaning |\n|---|---|---|---|"
    for table in tables:
        for column in table.columns:
            if column.name not in said or table.name == "changes":
                kind = column.type if column.required else f"{column.type} or null"
                yield f"| `{table.name}` | `{column.name}` | {kind} | {column.description} |"
    yield (
        "\nCSV and SQLite have a table for each list of films besides: `movie_genres`, `movie_cast` and so on. Its "
        "rows are\nthe entries: `movie_slug`, `position` (the place in the list, from 1), and the entry's own fields; "
        "a text is `name`.\nThe key is `movie_slug`, `position`."
    )
    yield (
        "\nA film of which only reviews were read has a row in `movies` all the same, with its slug, its URL and where "
        "that was\nread, so that every review has its film."
    )


if __name__ == "__main__":
    sys.stdout.write(data_format())
