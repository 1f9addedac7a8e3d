"""The durable frontier against Scrapy's own scheduler in memory: the same pages and records, the same database.

python -m benchmarks.frontier --rounds 7
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

from benchmarks import plain
from metacrawl.demo.site import DemoSite

COMMON = {"LOG_LEVEL": "ERROR", "DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "METACRAWL_PROGRESS": 0}
SIDES = {"memory": plain.SETTINGS, "frontier": {}}


def crawl(side: str, films: str) -> None:
    """Crawl in this process, and print what it cost from the first request to the end."""
    settings = get_project_settings()
    settings.setdict(COMMON | SIDES[side], priority="cmdline")
    process = CrawlerProcess(settings)
    crawler = process.create_crawler("movies")
    process.crawl(crawler, movie=f"@{films}")
    before = time.perf_counter(), time.process_time()
    process.start()
    wall, cpu = time.perf_counter() - before[0], time.process_time() - before[1]
    stats = crawler.stats.get_stats()
    print(json.dumps({"wall": wall, "cpu": cpu, "pages": stats["response_received_count"]}))


def measure(side: str, site: str, films: Path, database: str) -> dict[str, float]:
    ours = {
        "METACRAWL_SITE_URL": site,
        "METACRAWL_DATABASE_URL": database,
        "METACRAWL_RUNS": str(films.parent / "runs"),
    }
    environment = os.environ | ours
    command = [sys.executable, "-m", "benchmarks.frontier", "--crawl", side, "--films", str(films)]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, float] = json.loads(output)
    return figures


def run(rounds: int) -> list[dict[str, dict[str, float]]]:
    """Measure both sides in turn, after one round to warm up; which goes first changes."""
    results = []
    with tempfile.TemporaryDirectory() as folder, DemoSite(design="2016") as site:
        films = Path(folder, "films.txt")
        films.write_text("\n".join(film.slug for film in site.world.films), encoding="utf-8")
        for number in range(rounds + 1):
            order = sorted(SIDES, reverse=bool(number % 2))
            results.append(
                {side: measure(side, site.url, films, f"sqlite:///{folder}/{number}-{side}.db") for side in order}
            )
            print(f"round {number} of {rounds}", file=sys.stderr)
    return results[1:]


def report(results: list[dict[str, dict[str, float]]]) -> None:
    table = Table("per page", *SIDES, "ratio, median", "least to most")
    for name in ("wall", "cpu"):
        per_page = {side: [1000 * r[side][name] / r[side]["pages"] for r in results] for side in SIDES}
        ratios = [r["frontier"][name] / r["memory"][name] for r in results]
        medians = [f"{statistics.median(per_page[side]):.2f} ms" for side in SIDES]
        table.add_row(name, *medians, f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}")
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often each side is measured (default: %(default)s)")
    parser.add_argument("--crawl", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--films", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.crawl:
        crawl(options.crawl, options.films)
    else:
        report(run(options.rounds))
