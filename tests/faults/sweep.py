"""Kill crawls at moments that are spread over the whole of them, go on with each, and see what came of it."""

import statistics
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

from metacrawl.demo.world import World
from tests.faults.crawls import ROBOTS, AtRequest, Crawl, End, Moment, Site, leads_on, names_of, repeats
from tests.faults.subjects import Subject, Verdict


@dataclass(frozen=True)
class Plan:
    """What is crawled, how, and where the cases keep their things."""

    world: World
    concurrency: int
    folder: Path
    design: str = "2016"

    @property
    def films(self) -> Path:
        """The file that names what to crawl."""
        path = self.folder / "films.txt"
        if not path.exists():
            path.write_text(names_of(self.world), encoding="utf-8")
        return path

    @property
    def bound(self) -> int:
        """How many pages a kill may cost: those under way, and one more that was about to be."""
        return self.concurrency + 1

    def crawl(self, subject: Subject, name: str, site: Site) -> tuple[Crawl, Path]:
        """Make a crawl with a folder of its own."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        return Crawl(subject.command(site.url, self.films, folder, self.concurrency), site.requests, folder), folder


@dataclass(frozen=True)
class Calm:
    """A crawl that nobody disturbs: which pages it asks for, and the seconds before, between and after its requests."""

    end: End
    verdict: Verdict
    pages: frozenset[str]
    again: Sequence[str]
    """What it asks for more than once, which is nothing."""

    gaps: Sequence[float]


@dataclass
class Case:
    """A crawl that was killed, once or more often, and went on to its end."""

    moments: list[Moment] = field(default_factory=list)
    """When it was killed."""

    refetched: list[int] = field(default_factory=list)
    """Pages asked for again because of each kill: the first one after they had been asked for."""

    unprovoked: int = 0
    """Pages asked for again although no kill came between."""

    redirects: int = 0
    resumed: int = 0
    end: End | None = None
    verdict: Verdict | None = None
    third: str | None = None
    """What is wrong with a further run, which must be a new one; empty if nothing is."""

    def __str__(self) -> str:
        assert self.verdict
        killed = "; ".join(map(str, self.moments)) or "never"
        return (
            f"killed {killed}: {self.verdict.lost} of {self.verdict.expected} records lost, "
            f"{sum(self.refetched)} pages fetched again"
        )

    def count(self, requests: Sequence[str], kills: Sequence[int], world: World) -> None:
        """Count what was asked for again; `kills` tells how many requests had been noted at each."""
        # The last words of the dead may arrive a little later, but before the next process asks for robots.txt.
        asked = list(requests)
        kills = [asked.index(ROBOTS, kill) if ROBOTS in asked[kill:] else len(asked) for kill in kills]
        self.refetched = [0] * len(kills)
        for earlier, place, path in repeats(requests):
            kill = bisect_right(kills, earlier)
            if leads_on(path, world):
                self.redirects += 1
            elif kill < len(kills) and kills[kill] <= place:
                self.refetched[kill] += 1
            else:
                self.unprovoked += 1

    def faults(self, bound: int) -> Iterator[str]:
        """Tell what breaks the promises."""
        assert self.end
        assert self.verdict
        if not self.end.complete:
            yield f"did not end complete: {self.end}"
        yield from self.verdict.told
        if self.unprovoked:
            yield f"{self.unprovoked} pages fetched again that no kill had cut short"
        yield from (f"{pages} pages fetched again" for pages in self.refetched if pages > bound)
        if self.third:
            yield f"the run after it: {self.third}"


def crawl_calmly(plan: Plan, subject: Subject, name: str = "calm", *, retry: int | None = None) -> Calm:
    """Crawl once undisturbed; where that ends with the exit code `retry`, by the same command once more."""
    with Site(plan.world, plan.design) as site:
        crawl, folder = plan.crawl(subject, name, site)
        times = [time.monotonic()]
        end = crawl.run()
        if end.code == retry:
            end = crawl.run()
        times += [*site.requests.times, time.monotonic()]
        again = [path for *_, path in repeats(site.requests)]
    gaps = [after - before for before, after in pairwise(times)]
    return Calm(end, subject.verdict(plan.world, folder), frozenset(site.requests), again, gaps)


def spread(calm: Calm, points: int, rng: Random) -> list[AtRequest]:
    """Spread moments evenly over a crawl, by its requests; each falls anywhere between two of them."""
    places = [(number + rng.random()) / points * len(calm.gaps) for number in range(points)]
    return [AtRequest(int(place), place % 1 * calm.gaps[int(place)]) for place in places]


def scatter(calm: Calm, kills: int, concurrency: int, rng: Random) -> list[AtRequest]:
    """Choose as many moments within one crawl, each counted from the start of a process that goes on with it."""
    # A process that gets no further than to what was under way before would bring nothing.
    most = 2 * max(concurrency + 1, len(calm.gaps) // (kills + 1))
    return [AtRequest(rng.randint(1, most), rng.random() * statistics.median(calm.gaps)) for _ in range(kills)]


def kill(plan: Plan, subject: Subject, name: str, moments: Sequence[Moment], calm: Calm, *, third: bool) -> Case:
    """Kill a crawl at each of these moments, start it again each time, and let the last process come to its end.

    A crawl that is complete when it is killed leaves nothing to go on with: the next process is a new run.
    """
    case = Case()
    kills: list[int] = []
    with Site(plan.world, plan.design) as site:
        crawl, folder = plan.crawl(subject, name, site)
        for moment in [*moments, None]:
            # Looked at only then, for to look is to touch: a reader of SQLite may tidy up what the dead have left.
            was_complete = calm.pages <= set(site.requests) and subject.verdict(plan.world, folder).flawless
            before = len(site.requests)
            case.end = crawl.run() if moment is None or was_complete else moment.strike(crawl)
            case.resumed += crawl.resumed
            if moment is None or was_complete or case.end:
                break
            case.moments.append(moment)
            kills.append(len(site.requests))
        case.count(site.requests[: before if was_complete and not crawl.resumed else None], kills, plan.world)
        case.verdict = subject.verdict(plan.world, folder)
        if third and subject.starts_over and not list(case.faults(plan.bound)):
            case.third = new_run(plan, subject, crawl, folder, calm)
    return case


def new_run(plan: Plan, subject: Subject, crawl: Crawl, folder: Path, calm: Calm) -> str:
    """Run a complete crawl once more; returns what is wrong with it, if anything."""
    start = len(crawl.log)
    end = crawl.run()
    asked = crawl.log[start:]
    if crawl.resumed or not end.complete:
        return str(end)
    if sorted(asked) != sorted(calm.pages):
        return f"{len(asked)} requests, not {len(calm.pages)}"
    verdict = subject.verdict(plan.world, folder)
    return "" if verdict.flawless else verdict.told[0]


def kill_all(
    plan: Plan, subject: Subject, moments: Sequence[Moment], calm: Calm, *, jobs: int, tell: Callable[[int, Case], None]
) -> list[Case]:
    """Make a case of each moment, several at a time; every tenth is followed by a further run."""

    def case(number: int) -> Case:
        return kill(plan, subject, f"{number}", [moments[number]], calm, third=number % 10 == 0)

    cases: dict[int, Case] = {}
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(case, number): number for number in range(len(moments))}
        try:
            for done in as_completed(waiting):
                cases[waiting[done]] = done.result()
                tell(len(cases), done.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [cases[number] for number in sorted(cases)]
