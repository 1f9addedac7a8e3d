"""`README.md`: a dataset's card, for people, as hubs show it. What comes from pages stands in it as code only."""

import json
import re
from collections.abc import Iterator

from metacrawl.dataset import about
from metacrawl.dataset.model import Column, Dataset, Table
from metacrawl.items import iso_timestamp

# How to read a table, or all of them.
READ = {
    "jsonl": (
        "python",
        'import polars\n\nreviews = polars.read_ndjson("user_reviews.jsonl", infer_schema_length=None)',
    ),
    "csv": (
        "python",
        """\
import pandas
from metacrawl.cells import from_cell

reviews = pandas.read_csv("user_reviews.csv", dtype=str, keep_default_na=False).map(from_cell)""",
    ),
    "parquet": ("python", 'import pandas\n\nreviews = pandas.read_parquet("user_reviews.parquet")'),
    "sqlite": ("sh", "datasette --immutable metacrawl.sqlite"),
}


def write(dataset: Dataset) -> str:
    """Write the card; what the dataset lacks stands first."""
    return "\n".join([*front_matter(dataset), *introduction(dataset), *contents(dataset), *rights(dataset)]) + "\n"


def front_matter(dataset: Dataset) -> Iterator[str]:
    """Write what a hub reads: YAML, of which JSON is a part. SQLite is a form that hubs show no tables of."""
    yield "---"
    yield f"pretty_name: {json.dumps('Films and reviews')}"
    yield "license: other"
    yield "license_name: none-granted"
    yield f"tags: {json.dumps(['films', 'reviews', 'metacrawl'])}"
    if dataset.form != "sqlite":
        yield "configs:"
        for file in dataset.files:
            (table,) = file.tables
            yield f"- {json.dumps({'config_name': table.name, 'data_files': file.name})}"
    yield "---"


def introduction(dataset: Dataset) -> Iterator[str]:
    yield "# Films and reviews\n"
    if dataset.partial:
        yield f"> **This is not a whole dataset**: {code(dataset.partial)}\n"
    if dataset.filters:
        chosen = ", ".join(f"{name} {code(value)}" for name, value in dataset.filters.items())
        yield f"> **This is a part of what was read**: {chosen}\n"
    yield f"{about.summary(dataset)}\n"
    if dataset.sources:
        yield f"- Read from: {', '.join(map(code, dataset.sources))}"
    if dataset.years:
        yield f"- Years of release: {dataset.years[0]} to {dataset.years[1]}"
    layouts = ", ".join(f"{code(name)} {count:,}" for name, count in dataset.layouts.items())
    yield f"- Records by page design: {layouts or 'none'}"
    yield f"- Completeness: {about.completeness(dataset)}"
    yield f"- Authors: {about.AUTHORS[dataset.authors]}"
    yield f"- Written: {iso_timestamp(dataset.created_at)}, version {about.version(dataset)}"


def contents(dataset: Dataset) -> Iterator[str]:
    """List the files, how to read them, and all columns."""
    yield "\n## Files\n"
    yield "| file | table | rows | what a row is |\n|---|---|---:|---|"
    for file in dataset.files:
        for table in file.tables:
            yield f"| `{file.name}` | `{table.name}` | {dataset.rows[table.name]:,} | {cell(table.description)} |"
    yield "\n`datapackage.json` and `croissant.json` tell programs; `sha256sum -c SHA256SUMS` checks the files.\n"
    language, snippet = READ[dataset.form]
    yield fenced(snippet, language)
    yield "\n## Columns"
    for file in dataset.files:
        for table in file.tables:
            yield from columns(table)


def columns(table: Table) -> Iterator[str]:
    yield f"\n### {table.name}\n"
    yield "| column | type | meaning |\n|---|---|---|"
    for column in table.columns:
        yield f"| `{column.name}` | {type_of(column)} | {cell(column.description)} |"


def type_of(column: Column) -> str:
    """Name a type, with what a list holds."""
    if column.type == "list":
        return "list of " + (", ".join(item.name for item in column.items if item.name) or column.items[0].type)
    return column.type if column.required else f"{column.type} or null"


def rights(dataset: Dataset) -> Iterator[str]:
    yield f"\n## Licence\n\n**{about.LICENCE}** {about.RIGHTS}"
    yield f"\n## Citation\n\n{fenced(about.citation(dataset), 'bibtex')}"


def code(text: str) -> str:
    """Show text as it is, whatever Markdown, HTML or marks of direction are in it."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    mark = "`" * (longest_run(shown) + 1)
    # Blanks on both sides are not shown, and keep a backtick of the text from the mark.
    blank = " " if "`" in shown else ""
    return f"{mark}{blank}{shown}{blank}{mark}"


def fenced(text: str, language: str) -> str:
    fence = "`" * max(3, longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def longest_run(text: str) -> int:
    """Count the backticks of the longest run of them."""
    return max(map(len, re.findall("`+", text)), default=0)


def cell(text: str) -> str:
    """Put a description of ours on the line of a table."""
    return " ".join(text.split()).replace("|", "\\|")
