"""Runs and completeness as people read them, on a terminal of any width."""

import datetime as dt
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from metacrawl.completeness import place_in_words
from metacrawl.database.runs import NOUNS
from metacrawl.outcome import Outcome, amounts, printable

# How many films are named where nobody asks for all.
NAMED = 20
GOOD, MIDDLING, BAD = "green", "yellow", "red"
COLOURS = {Outcome.COMPLETE.label: GOOD, Outcome.PARTIAL.label: MIDDLING, Outcome.INTERRUPTED.label: MIDDLING}
VERDICTS = {"complete": GOOD, "short": BAD, "unknown": MIDDLING}
Run = Mapping[str, Any]


def text(value: object, style: str = "") -> Text:
    """Show what a site or a person may have written as it is."""
    return Text(printable(str(value)), style)


def table(*columns: str, numbers: tuple[str, ...] = (), long: tuple[str, ...] = ()) -> Table:
    """Begin a table: `numbers` stand to the right, and columns that may be `long` share what room is left."""
    made = [
        Column(
            name,
            justify="right" if name in numbers else "left",
            overflow="fold",
            no_wrap=name not in long,
            min_width=12 if name in long else None,
        )
        for name in columns
    ]
    return Table(*made, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def show_overview(found: Mapping[str, Any], *, all_films: bool) -> Iterator[RenderableType]:
    """Show the schedule, all runs, and what is missing."""
    yield Text(f"In the database: {amounts(dict(zip(NOUNS.values(), found['records'].values(), strict=True)))}", "bold")
    if found["schedule"]:
        yield from show_schedule(found["schedule"])
    if found["runs"]:
        yield show_runs(found["runs"])
    for run in found["runs"]:
        if not run["finished_at"]:
            yield text(f"Run {run['run']} is open, {what_is_left(run)}; to go on: {command_of(run)}")
    if found["completeness"]["lists"]:
        yield from show_completeness(found["completeness"], all_films=all_films)


def show_runs(runs: list[Run]) -> Table:
    """Show a line for each run."""
    numbers = ("run", "took", "films", "reviews", "pages")
    names = ("run", "asked for", "started", "took", "outcome", "films", "reviews", "pages")
    shown = table(*names, numbers=numbers, long=("asked for",))
    for run in runs:
        records = dict(run["records"])
        films = records.pop("movies", 0)
        shown.add_row(
            str(run["run"]),
            text(asked_for(run)),
            minute(run["started_at"]),
            took(run),
            outcome_of(run),
            *(f"{number:,}" for number in (films, sum(records.values()), sum(run["pages"].values()))),
        )
    return shown


def asked_for(run: Run) -> str:
    return " ".join([run["spider"], *(f"{name}={value}" for name, value in run["arguments"].items())])


def words_of(run: Run) -> list[str]:
    """Give the words of the command, behind `scrapy`, that asks for the same as a run."""
    given = [part for name, value in run["arguments"].items() if name != "fresh" for part in ("-a", f"{name}={value}")]
    return ["crawl", run["spider"], *given]


def command_of(run: Run) -> str:
    """Give the command that a run was started with."""
    return shlex.join(["scrapy", *words_of(run)])


def what_is_left(run: Run) -> str:
    """Tell what an open run has still to do."""
    found = run["requests"]
    was = f"was {run['outcome']}, " if run["outcome"] else ""
    return f"{was}{amounts({'page': found['queued']})} to go, {found['at_work']:,} at work, {found['failed']:,} failed"


def took(run: Run) -> str:
    """Tell how long a run took, from its first process to its end."""
    if not run["finished_at"]:
        return ""
    started, finished = (dt.datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    return str(finished - started)


def outcome_of(run: Run) -> Text:
    if not run["finished_at"]:
        return Text("open", "cyan")
    return Text(run["outcome"], COLOURS.get(run["outcome"], BAD))


def show_schedule(jobs: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Show a line for each job of the schedule, and whether nobody keeps it."""
    shown = table("job", "when", "last (UTC)", "took", "outcome", "next (UTC)", numbers=("took",), long=("when",))
    for job in jobs:
        shown.add_row(
            job["job"],
            text(job["when"]),
            minute(job["started_at"])[5:],
            took(job),
            outcome_of(job) if job["started_at"] else "",
            Text(minute(job["next_at"])[5:], BAD if job["late"] else ""),
        )
    yield shown
    if any(job["late"] for job in jobs):
        yield Text("A job is overdue: the scheduler does not run", BAD)


def minute(stamp: str | None) -> str:
    """Show a time stamp to the minute, in UTC."""
    return (stamp or "")[:16].replace("T", " ")


def show_completeness(found: Mapping[str, Any], *, all_films: bool) -> Iterator[RenderableType]:
    """Show how much is all there, and which films are not."""
    counts = f"{found['complete']:,} of {found['lists_read']:,} lists of {found['films']:,} films are complete"
    yield Text(
        f"Completeness: {counts}, {found['short']:,} short ({found['missing']:,} reviews missing), "
        f"{found['unknown']:,} unknown",
        "bold",
    )
    lists = [one for one in found["lists"] if all_films or one["verdict"] != "complete"]
    shown = lists if all_films else lists[:NAMED]
    if shown:
        yield show_lists(shown)
    if len(lists) > len(shown):
        yield Text(f"and {len(lists) - len(shown):,} more: scrapy status --films")


def show_lists(lists: list[Mapping[str, Any]]) -> Table:
    """Show a line for each list of reviews."""
    shown = table("film", "reviews", "verdict", "stored", "why", numbers=("stored",), long=("film", "why"))
    for one in lists:
        verdict = Text(one["verdict"], VERDICTS[one["verdict"]])
        total = "" if one["total"] is None else f" of {one['total']:,}"
        shown.add_row(
            text(one["film"]),
            one["reviews"].removesuffix("-reviews"),
            verdict,
            f"{one['stored']:,}{total}",
            text(place_in_words(one["why"] or "")),
        )
    return shown


def show_run(run: Run) -> Iterator[RenderableType]:
    """Show all that is known of a run."""
    yield text(f"Run {run['run']}: {command_of(run)}", "bold")
    facts = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
    rows = {
        "database": run["database"],
        "started": run["started_at"],
        "ended": run["finished_at"] or f"open: {what_is_left(run)}",
        "outcome": "" if run["outcome"] is None else f"{run['outcome']} ({run['exit_code']}): {run['message']}",
        "processes": ", ".join(map(process_in_words, run["processes"])),
        **{name: counts(run[name]) for name in ("records", "stored", "pages", "responses", "retries", "invalid")},
        "failed": amounts({"page": run["requests"]["failed"]}),
        "versions": counts(run["versions"]),
    }
    for name, value in rows.items():
        if value:
            facts.add_row(Text(name, "bold"), text(value))
    yield facts
    if run["problems"]:
        yield show_problems(run["problems"])
    if run["fields"]:
        yield show_fields(run["fields"])
    if wanting := run["completeness"]["wanting"]:
        yield show_lists(wanting)


def process_in_words(one: Mapping[str, Any]) -> str:
    """Name a process, and the job that it was started for; accounts of earlier versions do not tell that."""
    job = one.get("job_id")
    return f"{one['pid']} on {one['host']}{f', job {job}' if job else ''}"


def counts(found: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in found.items()
    )


def show_problems(problems: Mapping[str, Any]) -> Table:
    """Show what went wrong, by the outcome that it stands for."""
    shown = table("problem", "number", "the first", numbers=("number",), long=("the first",))
    for outcome, found in problems.items():
        shown.add_row(Text(outcome, COLOURS.get(outcome, BAD)), f"{found['number']:,}", text("; ".join(found["first"])))
    return shown


def show_fields(fields: Mapping[str, Any]) -> Table:
    """Show which fields are missing in how many records."""
    shown = table("records", "number", "without", numbers=("number",), long=("without",))
    for name, found in fields.items():
        without = [f"{field} {found['of'] - n:,}" for field, n in found["filled"].items() if n < found["of"]]
        shown.add_row(name, f"{found['of']:,}", ", ".join(without))
    return shown


def show_rules(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Show the expressions that never matched."""
    yield Text(
        f"{found['expressions']:,} expressions: {len(found['unmatched']):,} were tried often and never matched, "
        f"{found['untried']:,} were never tried",
        "bold",
    )
    if found["unmatched"]:
        names = ("layout", "page", "record", "field", "tried", "expression")
        shown = table(*names, numbers=("tried",), long=("expression",))
        for one in found["unmatched"]:
            shown.add_row(*(one[name] for name in names[:4]), f"{one['tried']:,}", text(one["expression"]))
        yield shown
