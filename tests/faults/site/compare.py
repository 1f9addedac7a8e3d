"""What stock Scrapy makes of the same answers: `python -m tests.faults.site.compare` writes docs/hostile-pages.md.

Each page has a process of its own, with little memory, so that none can hurt the machine.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy import Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from tests.faults.site.faults import FAULTS, GOOD, Fault
from tests.faults.site.server import FaultSite

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "hostile-pages.md"
MARK = "<!-- results -->"
# Bytes of memory, and seconds, that stock Scrapy has for a page.
MEMORY, PATIENCE = 4 << 30, 20


class PlainSpider(Spider):
    """Reads a film's page as spiders do that are written by hand."""

    name = "plain"

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        """Give the film."""
        if data := response.css("#__NUXT_DATA__::text").get():
            yield {"values": len(json.loads(data))}
        else:
            yield {
                "title": response.css("h1::text").get(),
                "date": response.css(
                    ".summary_detail.release_date span::text, .release_date > span + span::text"
                ).get(),
                "director": response.css(".director a::text, .director span::text").get(),
                "summary": response.css(".summary_deck span span::text, .summary_deck > span + span::text").get(),
            }


def read_one(url: str, file: str) -> None:
    """Crawl one page with Scrapy's defaults, but for what listens."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    process = CrawlerProcess(
        {"FEEDS": {file: {"format": "jsonlines"}}, "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False}
    )
    process.crawl(PlainSpider, start_urls=[url])
    process.start()
    peak = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if "VmHWM" in line)
    sys.stdout.write(f"{int(peak.split()[1]) // 1024}\n")


def stock(site: FaultSite, fault: Fault) -> str:
    """Say in a few words what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder, "items.jsonl")
        command = [sys.executable, "-m", __spec__.name, f"{site.url}/movie/{fault.slug}", str(feed)]
        try:
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return f"no end in {PATIENCE} s"
        items = [json.loads(line) for line in feed.read_text("utf-8").splitlines()] if feed.exists() else []
        peak = run.stdout.strip() or "?"
        code = f"exit {run.returncode}"
    much = f", {peak} MB" if peak.isdigit() and int(peak) > 250 else ""
    if not items:
        return f"nothing, {code}{much}"
    values = list(items[0].values())
    lost = sum(value is None for value in values)
    if lost:
        return f"**a record without {lost} of {len(values)} fields**, {code}{much}"
    return f"read, {code}{much}"


def rows() -> Iterator[str]:
    """Give the table, a line for each fault."""
    yield "| page | what is wrong with it | metacrawl | stock Scrapy |"
    yield "|---|---|---|---|"
    with FaultSite() as site:
        for fault in FAULTS.values():
            ours = "read" if fault.expected == GOOD else f"refused: “{fault.expected}”"
            yield f"| `{fault.slug}` | {fault.says} | {ours} | {stock(site, fault)} |"


def main() -> None:
    if len(sys.argv) > 1:
        read_one(*sys.argv[1:])
        return
    before = PAGE.read_text("utf-8").partition(MARK)[0]
    PAGE.write_text("\n".join([f"{before}{MARK}", "", *rows(), ""]), "utf-8")


if __name__ == "__main__":
    main()
