"""Between a page that was read and its commit: one that may have been misread is held until others tell."""

import re
from collections import Counter
from dataclasses import fields
from functools import cached_property

from scrapy.http import Response

from metacrawl import extract
from metacrawl.drift import Judge, Sight
from metacrawl.extract import LayoutError
from metacrawl.figures import Figures
from metacrawl.frontier.failures import count_refusal, problem_of
from metacrawl.frontier.page import Page, page_of
from metacrawl.frontier.run import Run
from metacrawl.items import Record
from metacrawl.outcome import Outcome, Problem
from metacrawl.spiders.base import page_read

# Pages that are held at a time; they are in memory.
MOST = 50
# In the stats.
INVALID = re.compile("metacrawl/(.*)/invalid")
# Every record has them.
OWN = {field.name for field in fields(Record)}


class Watch:
    """Stores pages or holds them, ends the run when the site has changed, and counts what was read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        run.crawler.signals.connect(self.page_read, page_read)

    @cached_property
    def judge(self) -> Judge[Page]:
        """Judges this process's pages, by what all before have counted."""
        return Judge(self.run.before, self.run.ledger.figures)

    @cached_property
    def is_live(self) -> bool:
        """Whether pages come from the site: an archive, or a folder, has pages of all times in any order."""
        return self.run.spider.arguments.source == "site"

    def page_read(self, page: extract.Page, response: Response) -> None:
        """Take in what was read of a page, and count which expressions gave something."""
        if response.request and (asked := page_of(response.request)):
            asked.read = page
        for (record, field, expression), (tried, matched) in page.tried.items():
            name = f"{page.layout.name}/{page.ref.kind}/{record}/{field}/{expression}"
            self.run.ledger.figures.count("tried", name, tried)
            self.run.ledger.figures.count("matched", name, matched)

    async def settle(self, page: Page, response: Response) -> None:
        """Have a page stored or held; returns when no more is to be done about it now."""
        if page.read and not page.dead and self.is_live:
            sight = self.judge.see(page.read, page, response.url)
            self.act(sight, response)
            if sight.hold and not page.dead and len(self.run.ledger.on_hold) < MOST:
                self.run.ledger.hold(page, self.let_go)
                return
            self.judge.forget(page)
        if page.recalled:
            self.judge.skip(page.request.meta["film"])
        self.count(page)
        await self.run.ledger.commit(page)

    def act(self, sight: Sight[Page], response: Response) -> None:
        """Do what follows for the run, and for pages that were held."""
        for page in sight.cleared:
            self.release(page)
        if sight.wrong:
            saved = self.save(Outcome.LAYOUT.label, response)
            self.run.do_without(sight.name, Problem(Outcome.LAYOUT, f"{sight.url}: {sight.wrong}{saved}"))
        if sight.changed:
            self.end(sight.changed, response)
            for page in sight.misread:
                page.fail(Problem(Outcome.LAYOUT, f"{page.request.url}: not stored, for the site has changed"))
                if page is not sight.name:
                    self.release(page)

    def unread(self, page: Page, response: Response, error: LayoutError) -> None:
        """Give up a page that cannot be read."""
        count_refusal(self.run.crawler.stats, error)
        problem = problem_of(page.request, error)
        saved = self.save(problem.outcome.label, response)
        self.run.do_without(page, Problem(problem.outcome, f"{problem.message}{saved}"))
        if self.is_live and problem.outcome is Outcome.LAYOUT:
            changed = self.judge.see_unread(page.request.meta.get("kind", "unknown"))
            if changed:
                self.end(f"{changed}, such as {problem.message}", response)

    def end(self, changed: str, response: Response) -> None:
        """End the run, for the site has changed; pages that are on their way may show it, too."""
        if self.run.closing:
            return
        saved = self.save(f"changed-{self.run.ledger.worker.id}", response)
        self.run.halt(Problem(Outcome.LAYOUT, f"the site has changed: {changed}{saved}"))

    def save(self, problem: str, response: Response) -> str:
        """Keep a page as evidence, unless it is a file; tells where, for a message."""
        if response.url.startswith("file:"):
            return ""
        path = self.run.evidence.keep(self.run.id, problem, response.body)
        return f"; saved as {path}" if path else ""

    def release(self, page: Page) -> None:
        """Have a page stored that was held."""
        self.judge.forget(page)
        self.count(page)
        self.run.ledger.finish(page)

    def let_go(self) -> None:
        """Store what is held: nothing comes any more that could tell more."""
        for page in list(self.run.ledger.on_hold.values()):
            self.release(page)

    def count(self, page: Page) -> None:
        """Count what a page that is stored has, or had when it was read."""
        if page.dead:
            return
        if page.read:
            page.figures = figures_of(page.read)
        self.run.ledger.figures.add(page.figures)
        self.run.ledger.figures.counts["invalid"] = Counter(self.invalid())

    def invalid(self) -> dict[str, int]:
        """Give what the validation has counted in this process."""
        counted = self.run.crawler.stats.get_stats().items()
        return {INVALID.sub(r"\1", name): number for name, number in counted if INVALID.match(name)}


def figures_of(page: extract.Page) -> dict[str, dict[str, int]]:
    """Count a page that was read, its records, and their fields."""
    figures = Figures()
    where = f"{page.layout.name}/{page.ref.kind}"
    figures.count("pages", where)
    for record in page.records:
        name = f"{where}/{type(record).__name__}"
        figures.count("records", name)
        for field in fields(record):
            if field.name not in OWN and getattr(record, field.name) not in (None, []):
                figures.count("filled", f"{name}/{field.name}")
    return figures.as_json()
