"""A crawl of the demo site, and a comparison of what it found with what is there."""

from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from scrapy.crawler import Crawler, CrawlerProcessBase
from scrapy.settings import Settings

from metacrawl.commands import unwritable
from metacrawl.database.connection import connect_to_read
from metacrawl.database.reading import read
from metacrawl.database.schema import TABLES
from metacrawl.dataset.export import export
from metacrawl.demo.compare import differences
from metacrawl.demo.content import build_world
from metacrawl.demo.site import TODAY, DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import RECORDS, Record
from metacrawl.outcome import ConfigError
from metacrawl.spiders.movies import MoviesSpider

SHOWN = 10
DATABASE, DATASET = "demo.db", "dataset"


def try_out(process: CrawlerProcessBase, settings: Settings, folder: Path) -> bool:
    """Crawl, compare, print what was found and where it lies; false on any difference. Raises `RefusedError`."""
    prepare(folder)
    world = build_world()
    database = sa.URL.create("sqlite", database=str(folder / DATABASE)).render_as_string()
    outcome = crawl(process, settings, world, folder / "films.txt", database)
    engine = connect_to_read(database)
    # What was found is shown, however the crawl has ended.
    try:
        export(engine, folder / DATASET, "jsonl", partial=True)
    except OSError as error:
        raise unwritable(f"--to {folder}", error) from None
    with engine.connect() as connection:
        found = [record for kind in RECORDS for record in read(connection, kind)]
    files = [folder / DATASET / f"{table.name}.jsonl" for table in TABLES.values()]
    return report(expected_records(world, TODAY), found, files, outcome)


def prepare(folder: Path) -> None:
    """Make the folder, without the database of an earlier demo. Raises `ConfigError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / DATABASE).exists():
            raise ConfigError(f"--to {folder} holds other things: give the demo a folder of its own")
        for path in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
            (folder / path).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(f"--to {folder}", error) from None


def crawl(process: CrawlerProcessBase, settings: Settings, world: World, films: Path, database: str) -> str:
    """Crawl the demo site's films; returns the outcome in words."""
    # A renamed film is asked for by its first name, as people who know it would.
    asked = [film.old_slugs[0] if film.old_slugs else film.slug for film in world.films]
    films.write_text("\n".join(asked), encoding="utf-8")
    settings = settings.copy()
    with DemoSite(world) as site:
        settings.set("METACRAWL_SITE_URL", site.url, priority="cmdline")
        settings.set("METACRAWL_API_URL", site.api_url, priority="cmdline")
        settings.set("METACRAWL_DATABASE_URL", database, priority="cmdline")
        settings.set("METACRAWL_RUNS", str(films.parent / "runs"), priority="cmdline")
        print(f"A demo site with {len(world.films)} films is at {site.url}/; crawling it ...", flush=True)
        crawler = Crawler(MoviesSpider, settings)
        process.crawl(crawler, movie=f"@{films}")
        process.start()
    stats = crawler.stats
    return f"{stats.get_value('metacrawl/outcome')}: {stats.get_value('metacrawl/message')}"


def report(expected: list[Record], found: list[Record], files: list[Path], outcome: str) -> bool:
    """Print a table of what was found, and every difference up to ten; tells whether all is well."""
    wrong = list(differences(expected, found))
    table = Table(
        Column("records"),
        Column("on the site", justify="right"),
        Column("found", justify="right"),
        Column("file", overflow="fold"),
    )
    for kind, file in zip(RECORDS, files, strict=True):
        number = [sum(type(record) is kind for record in records) for records in (expected, found)]
        table.add_row(kind.__name__, *(f"{count:,}" for count in number), Text(str(file)))
    console = Console()
    console.print(table)
    print(f"The database that the files were made from: {files[0].parent.with_name(DATABASE)}")
    for line in wrong[:SHOWN]:
        print(line)
    if wrong or not outcome.startswith("COMPLETE"):
        print(f"{len(wrong):,} differences from the site; the run ended {outcome}")
        return False
    print("Every field of every record is as on the site.")
    return True
