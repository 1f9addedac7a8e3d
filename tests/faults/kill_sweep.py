"""`python -m tests.faults.kill_sweep`: kill crawls all over, go on with each, and print what was lost, beside Scrapy.

Exits with 1 if metacrawl lost, doubled or changed a record, or fetched more pages again than a kill may cost.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Column, Table

from tests.faults.crawls import some_films
from tests.faults.subjects import Metacrawl, Stock, Subject, databases
from tests.faults.sweep import Calm, Case, Plan, crawl_calmly, kill, kill_all, scatter, spread

SHOWN = 10
# Makes some 430 pages. Scrapy's list of what it has seen reaches the disk with its first 8 KiB, after 372 requests: a
# crawl that is killed before starts over, and one that is killed later loses what it had yet to do.
COPIES = 100


@dataclass(frozen=True)
class Figures:
    """What came of killing one subject."""

    title: str
    ours: bool
    calm: Calm
    cases: Sequence[Case]
    bound: int
    seconds: float

    @property
    def faults(self) -> list[str]:
        """All that breaks the promises."""
        calm = [f"undisturbed: {self.calm.end}"] if not self.calm.end.complete else self.calm.verdict.told
        return [*calm, *(f"{case}: {fault}" for case in self.cases for fault in case.faults(self.bound))]

    def total(self, count: str) -> int:
        """Add up one of the verdicts' counts."""
        return sum(getattr(case.verdict, count) for case in self.cases)

    def rows(self) -> dict[str, str]:
        """Say it in words and figures."""
        refetched = [pages for case in self.cases for pages in case.refetched]
        thirds = [case.third for case in self.cases if case.third is not None]
        losses = [case for case in self.cases if not case.verdict.flawless]
        expected, lost = self.total("expected"), self.total("lost")
        mean = sum(refetched) / max(1, len(refetched))
        return {
            "crawls killed": f"{sum(bool(case.moments) for case in self.cases)} of {len(self.cases)}",
            "kills": f"{len(refetched):,}",
            "processes that said they resume": f"{sum(case.resumed for case in self.cases):,}",
            "records to be had": f"{expected:,}",
            "records lost": f"{lost:,} ({lost / max(1, expected):.1%})",
            "records wrong in a field": f"{self.total('wrong'):,}",
            "records not the site's": f"{self.total('foreign'):,}",
            "records twice": f"{self.total('twice'):,}",
            "broken lines": f"{self.total('unreadable'):,}",
            "crawls with any of these": f"{len(losses)}",
            "... that claim to be complete": f"{sum(case.end.complete for case in losses)}",
            "pages fetched again per kill, mean": f"{mean:.2f}",
            f"... and at most (promised: {self.bound})": f"{max(refetched, default=0)}",
            "... though no kill came between": f"{sum(case.unprovoked for case in self.cases)}",
            "redirects asked for again": f"{sum(case.redirects for case in self.cases)}",
            "further runs that are new and equal": f"{thirds.count('')} of {len(thirds)}",
            "requests of an undisturbed crawl": f"{len(self.calm.gaps) - 1:,}",
            "... and its seconds": f"{sum(self.calm.gaps):.1f}",
            "seconds per crawl that was killed": f"{self.seconds / max(1, len(self.cases)):.2f}",
        }


def measure(
    plan: Plan, subject: Subject, given: argparse.Namespace, number: int, tell: Callable[[str], None]
) -> Figures:
    """Kill one subject: `number` crawls once each, or one crawl that often."""
    calm = crawl_calmly(plan, subject)
    rng = Random(given.seed)  # noqa: S311 - to be the same each time
    start = time.monotonic()
    if given.kills is None:
        step = 10 if not sys.stdout.isatty() else 1

        def count(done: int, case: Case) -> None:
            if done % step == 0 or done == number:
                tell(f"{subject.name}: {done} of {number}, the last one {case}")

        cases = kill_all(plan, subject, spread(calm, number, rng), calm, jobs=given.jobs, tell=count)
    else:
        moments = scatter(calm, number, plan.concurrency, rng)
        cases = [kill(plan, subject, "long", moments, calm, third=True)]
    title = f"{subject.name}\n{len(plan.world.films)} films"
    return Figures(title, isinstance(subject, Metacrawl), calm, cases, plan.bound, time.monotonic() - start)


def report(figures: Sequence[Figures]) -> Table:
    """Put the figures side by side."""
    table = Table(Column(""), *(Column(of.title, justify="right") for of in figures))
    for row in figures[0].rows():
        table.add_row(row, *(of.rows()[row] for of in figures))
    return table


def sweep(given: argparse.Namespace, tell: Callable[[str], None]) -> list[Figures]:
    """Do what is asked for: metacrawl and the control, and once more on a larger site."""
    small = some_films(given.films or (64 if given.kills else 6))
    number = given.kills or given.points
    control = number if given.control is None else given.control
    found = []
    with tempfile.TemporaryDirectory(prefix="metacrawl-faults-") as folder, databases(given.database) as database:
        ours, stock = Metacrawl(database), Stock()
        cases = [(small, ours, number), (small, stock, control)]
        if given.kills is None:
            cases += [(some_films(6, COPIES), subject, given.large) for subject in (ours, stock)]
        for place, (world, subject, points) in enumerate(cases):
            if points:
                plan = Plan(world, given.concurrency, Path(folder, f"{place}"))
                plan.folder.mkdir()
                found.append(measure(plan, subject, given, points, tell))
    return found


def parse(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill_sweep", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--points", type=int, default=50, help="crawls to kill, once each (default %(default)s)")
    how.add_argument("--kills", type=int, help="kill one single crawl that often instead")
    parser.add_argument("--control", type=int, help="points or kills of the control (default as many; 0 for none)")
    parser.add_argument(
        "--large", type=int, default=0, help="points of both on a larger site, where Scrapy's loss shows (default 0)"
    )
    parser.add_argument(
        "--database", default="sqlite", help="sqlite (default), postgresql, or the URL of a PostgreSQL server"
    )
    parser.add_argument("--films", type=int, help="films on the site (default 6; with --kills all 64)")
    parser.add_argument("--concurrency", type=int, default=4, help="requests at a time (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="crawls at a time (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed kills at other moments (default %(default)s)")
    return parser.parse_args(given)


def main() -> int:
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
    figures = sweep(parse(sys.argv[1:]), console.print)
    console.print(report(figures))
    faults = [fault for of in figures if of.ours for fault in of.faults]
    for fault in faults[:SHOWN]:
        console.print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
