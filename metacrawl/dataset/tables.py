"""The tables of a dataset and their columns, read off the records."""

import ast
import datetime as dt
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import Meta

from metacrawl.database.schema import TABLES
from metacrawl.dataset.model import Column, Table, Type
from metacrawl.items import Movie

TYPES: Mapping[type, Type] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dt.date: "date",
    dt.datetime: "datetime",
    list: "list",
}
# The most that a database holds is no bound of the value's own.
LARGEST = 2**63 - 1


def field_docs(record: type) -> dict[str, str]:
    """Read the docstring under each field of a class, those that it inherits included."""
    docs: dict[str, str] = {}
    for base in reversed(record.__mro__[:-1]):
        body = ast.parse(inspect.getsource(base)).body[0]
        assert isinstance(body, ast.ClassDef)  # noqa: S101 - for mypy
        for field, doc in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(field.target, ast.Name):
                docs[field.target.id] = inspect.cleandoc(ast.literal_eval(doc.value))
    return docs


def columns_of(record: type) -> tuple[Column, ...]:
    """Make the columns of the fields of a class."""
    docs, hints = field_docs(record), get_type_hints(record, include_extras=True)
    return tuple(column_of(field.name, hints[field.name], docs[field.name]) for field in fields(record))


def column_of(name: str, hint: Any, doc: str) -> Column:
    """Make the column of a field."""
    some = [arg for arg in get_args(hint) if arg is not type(None)]
    optional = type(None) in get_args(hint)
    inner = some[0] if optional else hint
    meta = Meta()
    if get_origin(inner) is Annotated:
        inner, meta = get_args(inner)
    return Column(
        name=name,
        type=TYPES[get_origin(inner) or inner],
        description=" ".join(doc.split()),
        required=not optional,
        minimum=meta.ge,
        maximum=None if meta.le == LARGEST else meta.le,
        items=entry_of(*get_args(inner)) if get_origin(inner) is list else (),
    )


def entry_of(kind: type) -> tuple[Column, ...]:
    """Make the columns of the entries of a list."""
    if kind is str:
        return (Column(name="", type="string", description="As printed.", required=True),)
    return columns_of(kind)


def summary(record: type) -> str:
    """Tell in a sentence or two what a record is."""
    return " ".join((inspect.getdoc(record) or "").split("\n\n")[0].split())


# What metacrawl knows of a record beside what it says.
FIRST_SEEN = Column(
    name="first_seen_at",
    type="datetime",
    description="When metacrawl stored this first, in UTC, by its own clock; whenever the site showed it.",
)
VANISHED = Column(
    name="vanished_at",
    type="datetime",
    description="When the site was found to have this no more, in UTC; null while it has it.",
)
FILM = Column(name="movie_slug", type="string", description="The film's `slug`.", required=True)
POSITION = Column(
    name="position", type="integer", description="The place in the film's list, from 1.", required=True, minimum=1
)
MOVIE = {column.name: column for column in columns_of(Movie)}
SCORES = tuple(column for column in MOVIE.values() if column.name.startswith(("metascore", "critic_", "user_")))


def record_tables() -> Iterator[Table]:
    """Give the tables of records."""
    for kind, table in TABLES.items():
        of_films = kind is Movie
        yield Table(
            name=table.name,
            description=summary(kind),
            columns=(*columns_of(kind), FIRST_SEEN, *(() if of_films else (VANISHED,))),
            key=("slug",) if of_films else ("key",),
            film=None if of_films else FILM.name,
        )


def child_tables() -> Iterator[Table]:
    """Give a table for each list of films."""
    for column in MOVIE.values():
        if column.type == "list":
            entry = tuple(replace(item, name=item.name or "name") for item in column.items)
            yield Table(
                name=f"movie_{column.name}",
                description=f"Films' {column.name.replace('_', ' ')}, an entry a row. {column.description}",
                columns=(FILM, POSITION, *entry),
                key=(FILM.name, POSITION.name),
                film=FILM.name,
            )


def history_tables() -> tuple[Table, ...]:
    """Give the tables of what was otherwise before."""
    time = Column(name="", type="datetime", description="", required=True)
    first = replace(time, name="captured_at", description="From when on the film's page said so, in UTC.")
    last = replace(time, name="last_captured_at", description="Until when it is known to have said so, in UTC.")
    text = Column(name="", type="string", description="", required=True)
    return (
        Table(
            name="movie_scores",
            description="What films' pages have said of scores and counts over time, a row for each change.",
            columns=(FILM, first, last, MOVIE["layout"], MOVIE["source_url"], *SCORES),
            key=(FILM.name, first.name),
            film=FILM.name,
        ),
        Table(
            name="changes",
            description="What crawls found to be no longer as it was stored, field by field.",
            columns=(
                replace(time, name="seen_at", description="When a crawl saw it, in UTC, by its own clock."),
                replace(text, name="kind", description="The table of the record."),
                replace(text, name="key", description="The `key` of the record."),
                FILM,
                replace(text, name="field", description="The field; `vanished_at` for a review that is gone or back."),
                replace(text, name="old", description="Its value before, as JSON."),
                replace(text, name="new", description="Its value since, as JSON."),
            ),
            key=("seen_at", "kind", "key", "field"),
            film=FILM.name,
        ),
    )


@cache
def tables_of(*, nested: bool) -> tuple[Table, ...]:
    """Give the tables of a dataset, that of films first: with lists in them, or with tables for these."""
    records = tuple(record_tables())
    if nested:
        return (*records, *history_tables())
    films, *others = records
    flat = replace(films, columns=tuple(column for column in films.columns if column.type != "list"))
    return (flat, *child_tables(), *others, *history_tables())
