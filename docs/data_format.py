"""Writes DATA_FORMAT.md from the docstrings of the records: `python docs/data_format.py > DATA_FORMAT.md`."""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

sys.path.insert(0, str(Path(__file__).parent.parent))

from msgspec import Meta

from metacrawl import items

HEAD = """\
# Data format

What metacrawl publishes: three kinds of record. `scrapy export` writes a file for each, its fields in this order.

- A page that lacks a value gives null (lists: `[]`; CSV: an empty cell), never `0`, `""` or `"tbd"`.
- Text keeps its Unicode. A line break of the page is one `\\n`, any other run of white space one space.
- Dates are `YYYY-MM-DD`, timestamps `YYYY-MM-DDTHH:MM:SSZ` in UTC. URLs are absolute.
- In CSV, lists are JSON in one cell, true and false are `true` and `false`. Every cell is in quotes.
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


def field_docs(record: type) -> dict[str, str]:
    """Read the docstring under each field of a class, those that it inherits included."""
    docs: dict[str, str] = {}
    for base in reversed(record.__mro__[:-1]):
        body = ast.parse(inspect.getsource(base)).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, doc in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(field.target, ast.Name):
                docs[field.target.id] = inspect.cleandoc(ast.literal_eval(doc.value))
    return docs


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
    return "\n".join([HEAD.rstrip(), *(line for record in records for line in section(record))]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(data_format())
