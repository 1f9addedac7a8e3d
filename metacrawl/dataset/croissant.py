"""`croissant.json`: a dataset in Croissant 1.1, which loaders for machine learning and search engines read."""

import json
from typing import Any

from metacrawl.dataset import about
from metacrawl.dataset.model import Column, Dataset, File, Table
from metacrawl.items import iso_timestamp

# What the standard asks for, to the letter.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
# As Croissant's own reader knows them.
ENCODINGS = {
    "jsonl": "application/jsonlines",
    "csv": "text/csv",
    "parquet": "application/x-parquet",
    "sqlite": "application/vnd.sqlite3",
}
TYPES = {
    "string": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}


def write(dataset: Dataset) -> str:
    """Describe a dataset; of a database the file, of all else each table, too."""
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": about.title(dataset),
        "description": about.description(dataset),
        "version": about.version(dataset),
        "dateCreated": iso_timestamp(dataset.created_at),
        "datePublished": iso_timestamp(dataset.created_at),
        "license": {"@type": "sc:CreativeWork", "name": about.LICENCE, "description": about.RIGHTS},
        "citeAs": about.citation(dataset),
        "creator": {"@type": "sc:Organization", "name": "metacrawl", "description": "The program that has read it."},
        "rai:dataCollectionMissingData": about.completeness(dataset),
        "rai:personalSensitiveInformation": about.AUTHORS[dataset.authors],
        "distribution": [file_object(dataset, file) for file in dataset.files],
    }
    if dataset.sources:
        described["url"] = dataset.sources[0]
    if dataset.captured:
        described["rai:dataCollectionTimeframe"] = [iso_timestamp(time) for time in dataset.captured]
    if dataset.form != "sqlite":
        described["recordSet"] = [record_set(table, file) for file in dataset.files for table in file.tables]
    return json.dumps(described, indent=2) + "\n"


def file_object(dataset: Dataset, file: File) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": ENCODINGS[dataset.form],
        "sha256": file.sha256,
    }


def record_set(table: Table, file: File) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.description,
        "key": [{"@id": f"{table.name}/{name}"} for name in table.key],
        "field": [field(table, column, file) for column in table.columns],
    }


def field(table: Table, column: Column, file: File) -> dict[str, Any]:
    """Describe a column; the films that it names are those of the table of films.

    Not where there is no row: Croissant's reader fails to join a file without a line.
    """
    source = {"fileObject": {"@id": file.name}, "extract": {"column": column.name}}
    described = named(f"{table.name}/{column.name}", column)
    if column.name == table.film and file.rows:
        described["references"] = {"field": {"@id": "movies/slug"}}
    if column.type != "list":
        return described | {"dataType": TYPES[column.type], "source": source}
    described |= {"isArray": True, "arrayShape": "-1"}
    if not column.items[0].name:
        return described | {"dataType": TYPES[column.items[0].type], "source": source}
    parts = [
        named(f"{table.name}/{column.name}/{part.name}", part)
        | {"dataType": TYPES[part.type], "source": source | {"transform": {"jsonPath": part.name}}}
        for part in column.items
    ]
    return described | {"subField": parts}


def named(id_: str, column: Column) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": id_, "name": column.name, "description": column.description}
