"""Draws docs/images/report.png, the report on the demo site's invented films: `python docs/report_picture.py`."""

import datetime as dt
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import sqlalchemy as sa

from metacrawl.database.schema import COMPLETENESS
from metacrawl.demo.content import build_world
from metacrawl.demo.history import as_of
from metacrawl.demo.truth import movie
from metacrawl.items import Record
from tests.database.parts import a_list
from tests.report.browser import opened, running
from tests.report.parts import NOW, as_read, change, page_of, store, truth

PICTURE = Path(__file__).parent / "images" / "report.png"
FILMS = 12


def earlier() -> Iterator[Record]:
    """The first films as their pages were each June."""
    world = build_world()
    names = {film.slug for film in world.films[:FILMS]}
    for year in range(2010, 2026):
        day = dt.date(year, 6, 1)
        captured = dt.datetime(year, 6, 1, tzinfo=dt.UTC)
        for film in as_of(world, day).films:
            if film.slug in names:
                yield as_read(replace(movie(film), captured_at=captured))


with tempfile.TemporaryDirectory() as folder:
    url = f"sqlite:///{folder}/metacrawl.db"
    for record in earlier():
        store(url, [record], movie=record.slug)
    store(url, truth(), movie="@films.txt")
    verdicts = [a_list(1, film.slug, "complete") for film in build_world().films[1:]]
    change(url, (sa.insert(COMPLETENESS), [*verdicts, a_list(1, "the-salt-orchard-2", "short", missing=4)]))
    path = Path(folder) / "report.html"
    path.write_text(page_of(url, NOW).replace(url, "sqlite:///metacrawl.db"), encoding="utf-8")
    with running() as browser, opened(browser, path, [], viewport={"width": 1200, "height": 1240}) as page:
        page.screenshot(path=PICTURE)
