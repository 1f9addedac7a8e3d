"""`scrapy export` against the bare libraries that write the same rows: seconds, memory and sizes, side by side in turn.

python -m benchmarks.export --reviews 1000000 --rounds 3
"""

import argparse
import datetime as dt
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from metacrawl.database.connection import connect
from metacrawl.database.schema import CRITIC_REVIEWS, MOVIES, USER_REVIEWS

FORMS = ("jsonl", "csv", "parquet", "sqlite")
# As on the site: reviews of users to a film and to a critic's review.
PER_FILM, PER_CRITIC = 100, 5
AT_ONCE = 10_000
NOW = dt.datetime(2026, 7, 16, 12, tzinfo=dt.UTC)
TEXT = "the film is a quiet, déjà-vu – “grand” 映画 of its own; nothing here moves twice and I'd see it again 🎬"
WORDS = TEXT.split()


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    cpu: float
    megabytes: float
    """The most memory it had at a time."""


def fill(url: str, reviews: int) -> None:
    """Make a database with that many reviews of users, of some 300 characters each."""
    rng = random.Random(1)  # noqa: S311 - to be the same each time
    halves = [" ".join(rng.choices(WORDS, k=rng.randint(10, 45))) for _ in range(5000)]
    read = {"layout": "2016", "source_url": "https://www.metacritic.com/movie/film", "captured_at": NOW}
    read |= {"seen_run": 1, "first_seen_at": NOW}
    films = max(1, reviews // PER_FILM)
    lists = {column.name: [] for column in MOVIES.columns if isinstance(column.type, sa.JSON)}

    def text(number: int) -> str:
        """Put together one that no other review has."""
        return f"{halves[number % 4999]} {halves[number % 5000]}"

    def film(number: int) -> dict[str, Any]:
        slug = f"film-{number:06}"
        cast = [{"name": f"Ann {place}", "slug": f"ann-{place}", "role": "Dan"} for place in range(20)]
        told = {"title": f"Film {number}", "url": f"https://www.metacritic.com/movie/{slug}", "metascore": number % 101}
        return {"key": slug, "slug": slug, **told, "summary": text(number), **read, **lists, "cast": cast}

    def review(number: int) -> dict[str, Any]:
        slug = f"film-{number % films:06}"
        said = {"score": number % 11, "date": NOW.date(), "text": text(number), "spoiler": None}
        said |= {"helpful_votes": number % 5, "total_votes": number % 9}
        return {"key": f"{slug}/user{number}", "movie_slug": slug, "author": f"user{number}", **said, **read}

    def critic_review(number: int) -> dict[str, Any]:
        slug = f"film-{number % films:06}"
        said = {"publication": "The Paper", "critic": "A. Critic", "score": number % 101, "date": NOW.date()}
        return {"key": f"{slug}/paper/{number}", "movie_slug": slug, **said, "excerpt": text(number), **read}

    engine = connect(url)
    numbers = {
        MOVIES: (film, films),
        CRITIC_REVIEWS: (critic_review, reviews // PER_CRITIC),
        USER_REVIEWS: (review, reviews),
    }
    with engine.begin() as connection:
        for table, (make, number) in numbers.items():
            rows = map(make, range(number))
            while batch := list(islice(rows, AT_ONCE)):
                connection.execute(sa.insert(table), batch)
    engine.dispose()


def cost_of(command: Sequence[object], environment: Mapping[str, str]) -> Cost:
    """Run a process, and say what it took. Raises `SystemExit` where it failed."""
    start = time.monotonic()
    words = [str(word) for word in (sys.executable, *command)]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, words, os.environ | environment, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(words)} failed")
    return Cost(time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def measure(form: str, side: str, database: Path, folder: Path) -> tuple[Cost, int]:
    """Export once; gives what that took and the bytes of all files."""
    url = f"sqlite:///{database}"
    if side == "metacrawl":
        command = ["-m", "scrapy", "export", "--to", folder, "--format", form]
    else:
        command = ["-m", "benchmarks.bare", form, database, folder]
    cost = cost_of(command, {"METACRAWL_DATABASE_URL": url})
    return cost, sum(path.stat().st_size for path in folder.resolve().iterdir())


def compare(database: Path, rounds: int, folder: Path) -> dict[str, Any]:
    """Measure both sides of each form in turn; which goes first changes."""
    found: dict[str, Any] = {}
    for form in FORMS:
        costs: dict[str, list[Cost]] = {"metacrawl": [], "bare": []}
        sizes: dict[str, int] = {}
        for number in range(rounds):
            for side in sorted(costs, reverse=bool(number % 2)):
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    cost, sizes[side] = measure(form, side, database, Path(place, "dataset"))
                costs[side].append(cost)
                print(f"{form}, {side}: {cost}", file=sys.stderr)
        found[form] = {side: figures(costs[side], sizes[side]) for side in costs}
        for what in ("seconds", "cpu"):
            pairs = zip(costs["metacrawl"], costs["bare"], strict=True)
            found[form][f"ratio of {what}"] = statistics.median(getattr(a, what) / getattr(b, what) for a, b in pairs)
    return found


def figures(costs: Sequence[Cost], size: int) -> dict[str, float]:
    medians = {name: statistics.median(getattr(cost, name) for cost in costs) for name in Cost._fields}
    return medians | {"file megabytes": size / 1e6}


def report(results: Mapping[int, Mapping[str, Any]], rounds: int) -> None:
    title = f"medians of {rounds} runs of each side, in turn"
    table = Table(
        "reviews", "format", "side", "s", "s of CPU", "MB at most", "MB of files", "ratio, s", "ratio, CPU", title=title
    )
    for reviews, found in results.items():
        for form, of in found.items():
            for side in ("metacrawl", "bare"):
                ratios = [f"{of[f'ratio of {what}']:.2f}" if side == "metacrawl" else "" for what in ("seconds", "cpu")]
                told = [f"{of[side][what]:.1f}" for what in ("seconds", "cpu", "megabytes", "file megabytes")]
                table.add_row(f"{reviews:,}", form, side, *told, *ratios)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def run(reviews: int, rounds: int) -> dict[int, dict[str, Any]]:
    """Compare at a tenth of the reviews and at all, which shows whether memory grows."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="metacrawl-export-") as folder:
        for number in (reviews // 10, reviews):
            database = Path(folder, f"{number}.db")
            start = time.monotonic()
            # Elsewhere, for a process is said to have had what the one that started it has.
            cost_of(["-m", "benchmarks.export", "--reviews", number, "--fill", database], {})
            print(f"{number:,} reviews stored in {time.monotonic() - start:.0f} s", file=sys.stderr)
            results[number] = compare(database, rounds, Path(folder))
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=1_000_000, help="reviews of users (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--fill", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        fill(f"sqlite:///{options.fill}", options.reviews)
        sys.exit()
    measured = run(options.reviews, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2), encoding="utf-8")
    report(measured, options.rounds)
