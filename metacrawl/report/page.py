"""The report as a page: made of the findings by a template, with a policy that lets nothing be loaded or run."""

import base64
import datetime as dt
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metacrawl import __version__
from metacrawl.database.report import Findings, find
from metacrawl.files import whole_file
from metacrawl.report.sections import LABELS, SECTIONS
from metacrawl.status import asked_for, took


def write(engine: sa.Engine, path: Path) -> None:
    """Write the report on a database. Raises `NothingError` for one without a record, and `OSError`."""
    now = dt.datetime.now(dt.UTC)
    with engine.connect() as connection:
        found = find(connection, now)
    page = render(found, now)
    with whole_file(path, path.with_name(f".{path.name}.unfinished")) as file:
        file.write(page)


def render(found: Findings, now: dt.datetime) -> str:
    """Make the page."""
    made = Environment(
        loader=PackageLoader("metacrawl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": lambda number: f"{number:,}", "asked_for": asked_for, "took": took, "day": day}
    made.globals |= SECTIONS
    style = files("metacrawl.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    given: dict[str, Any] = {
        "found": found,
        "now": now,
        "version": __version__,
        "labels": LABELS,
        "style": Markup(style),  # noqa: S704 - our own
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    }
    return made.get_template("report.html.j2").render(given)


def day(when: dt.datetime) -> str:
    """Write a time as people do."""
    return f"{when.day} {when:%B %Y, %H:%M} UTC"
