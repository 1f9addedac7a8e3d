"""`datapackage.json`: a dataset as a Data Package (https://datapackage.org, version 2), which Frictionless checks."""

import json
from pathlib import Path
from typing import Any

from metacrawl.dataset import about
from metacrawl.dataset.model import Column, Dataset, File, Table
from metacrawl.items import iso_timestamp

MEDIA_TYPES = {
    "jsonl": "application/jsonl",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "sqlite": "application/vnd.sqlite3",
}
# Other names, for Frictionless opens what is `parquet` or `jsonl` as a table, whatever is said of it.
PLAIN = {"parquet": "apache-parquet", "jsonl": "json-lines", "sqlite": "sqlite"}
TYPES = {"list": "array"}


def write(dataset: Dataset) -> str:
    """Describe a dataset; under `metacrawl` stands what a Data Package has no word for."""
    described = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "metacrawl",
        "title": about.title(dataset),
        "description": f"{about.description(dataset)} {about.completeness(dataset)} {about.RIGHTS}",
        "version": about.version(dataset),
        "created": iso_timestamp(dataset.created_at),
        "licenses": [{"name": "other-closed", "title": about.LICENCE}],
        "sources": [{"title": site, "path": site} for site in dataset.sources],
        "resources": [resource(dataset, file) for file in dataset.files],
        "metacrawl": {
            "version": dataset.version,
            "format": dataset.form,
            "filters": dict(dataset.filters),
            "authors": dataset.authors,
            "partial": dataset.partial or None,
            "rows": dict(dataset.rows),
            "years": dataset.years,
            "captured": dataset.captured and [iso_timestamp(time) for time in dataset.captured],
            "layouts": dict(dataset.layouts),
            "completeness": dict(dataset.completeness),
            "missing": dataset.missing,
        },
    }
    # A package without sources has none, not an empty list.
    return json.dumps({name: value for name, value in described.items() if value != []}, indent=2) + "\n"


def resource(dataset: Dataset, file: File) -> dict[str, Any]:
    """Describe a file, with the columns of its table where it holds one; as a table where Frictionless can read it."""
    as_table = reads_rows(dataset.form, file)
    described: dict[str, Any] = {
        "name": Path(file.name).stem,
        "path": file.name,
        "format": dataset.form if as_table else PLAIN[dataset.form],
        "mediatype": MEDIA_TYPES[dataset.form],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if dataset.form == "sqlite":
        return described | {"description": "A database: " + ", ".join(table.name for table in file.tables)}
    (table,) = file.tables
    described |= {"description": table.description, "schema": schema(table)}
    return described | {"type": "table", "encoding": "utf-8"} if as_table else described


def reads_rows(form: str, file: File) -> bool:
    """Tell whether Frictionless can read a table: it fails at lists in Parquet, and at a file without a line."""
    return form == "csv" or (form == "jsonl" and file.rows > 0)


def schema(table: Table) -> dict[str, Any]:
    described: dict[str, Any] = {
        "fields": [field(column) for column in table.columns],
        "primaryKey": list(table.key),
    }
    if table.film:
        films = {"resource": "movies", "fields": ["slug"]}
        described["foreignKeys"] = [{"fields": [table.film], "reference": films}]
    return described


def field(column: Column) -> dict[str, Any]:
    asked = {"required": column.required or None, "minimum": column.minimum, "maximum": column.maximum}
    constraints = {name: value for name, value in asked.items() if value is not None}
    described: dict[str, Any] = {
        "name": column.name,
        "type": TYPES.get(column.type, column.type),
        "description": column.description,
    }
    return described | ({"constraints": constraints} if constraints else {})
