"""The parts of the report: each chart with what it shows in words and its numbers as a table."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from metacrawl.database.report import LEAST_SCORES, Findings, Scores
from metacrawl.outcome import amounts
from metacrawl.report import charts
from metacrawl.report.drawing import Spec, draw
from metacrawl.report.numbers import Bin, bins, percent, quantile, short, signed

NOUNS = {"movies": "film", "critic_reviews": "critic review", "user_reviews": "user review"}
LABELS = {name: f"{noun}s".capitalize() for name, noun in NOUNS.items()}

Row = Mapping[str, Any]


class Figure(NamedTuple):
    """A chart, and the same for who does not see it."""

    heading: str
    finding: str
    drawing: Markup | None
    """None where there is nothing to draw, which `finding` says."""

    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[object]] = ()


def figure(
    heading: str, finding: str, spec: Spec, columns: tuple[str, ...], rows: Sequence[Sequence[object]]
) -> Figure:
    return Figure(heading, finding, draw(spec, heading), columns, rows)


def metascores(found: Scores) -> Figure:
    """Show how films' Metascores lie."""
    return distribution("Metascores", "Metascore", found, bins(found.films, 100, 5), 100)


def user_scores(found: Scores) -> Figure:
    """Show how films' user scores lie."""
    return distribution("User scores", "user score", found, bins(found.films, 10, 5, 10), 10)


def distribution(heading: str, name: str, found: Scores, sorted_in: Sequence[Bin], top: int) -> Figure:
    without = without_score(found)
    if not found.films:
        return Figure(heading, f"No film has a {name}. {without}", None)
    low, median, high = (quantile(found.films, share) for share in (0.25, 0.5, 0.75))
    finding = (
        f"Median {short(median)}; the middle half of {amounts({'film': sum(found.films.values())})} is between "
        f"{short(low)} and {short(high)}. {without}"
    )
    rows = [(one.label, f"{one.number:,}") for one in sorted_in]
    rows += [("none yet (tbd)", f"{found.tbd:,}"), ("none, no reviews", f"{found.none:,}")]
    spec = charts.histogram(sorted_in, name, charts.scale_to(top)["axis"], median)
    return figure(heading, finding, spec, (name, "films"), rows)


def without_score(found: Scores) -> str:
    """Say what is not in the picture; a score of 0 is."""
    parts = []
    if found.tbd:
        parts.append(f"{amounts({'film': found.tbd})} with reviews but no score yet (“tbd” on the site)")
    if found.none:
        parts.append(f"{amounts({'film': found.none})} without score or reviews")
    return f"Not shown: {', '.join(parts)}." if parts else ""


def critics_and_users(found: Findings) -> Figure:
    """Show each film's two scores."""
    heading = "Critics against users"
    number = sum(point["films"] for point in found.points)
    if not number:
        return Figure(heading, "No film has both a Metascore and a user score.", None)
    kinder = sum(point["films"] for point in found.points if round(10 * point["user_score"]) > point["metascore"])
    harder = sum(point["films"] for point in found.points if round(10 * point["user_score"]) < point["metascore"])
    finding = (
        f"Of {amounts({'film': number})} with both scores, users liked {kinder:,} better than critics did, and "
        f"{harder:,} less. On the dashed line they agree."
    )
    rows = [
        (point["title"] + charts.and_others(point["films"] - 1), point["metascore"], f"{point['user_score']:.1f}")
        for point in found.points
    ]
    return figure(heading, finding, charts.scatter(found.points), ("film", "Metascore", "user score"), rows)


def release_years(found: Findings) -> Figure:
    """Show films by their year."""
    heading = "Films by year of release"
    known = {year: number for year, number in found.years.items() if year is not None}
    unknown = found.years.get(None, 0)
    without = f" {amounts({'film': unknown})} without a year." if unknown else ""
    if not known:
        return Figure(heading, f"No film has a year.{without}", None)
    first, last = min(known), max(known)
    most = max(known, key=lambda year: (known[year], year))
    finding = f"From {first} to {last}; most of one year, {known[most]:,}, from {most}.{without}"
    each = [Bin(year - 0.5, year + 0.5, str(year), known.get(year, 0)) for year in range(first, last + 1)]
    spec = charts.histogram(each, "year", {"format": "d", "tickMinStep": 1})
    return figure(heading, finding, spec, ("year", "films"), [(one.label, f"{one.number:,}") for one in each])


def courses(found: Findings) -> list[Figure]:
    """Show how films' scores moved, all on the same scales."""
    entries = [entry for _, series in found.histories for entry in series]
    if not entries:
        return []
    ends = min(entry["captured_at"] for entry in entries), max(entry["last_captured_at"] for entry in entries)
    shown = [charts.times_ten(entry["user_score"]) for entry in entries] + [entry["metascore"] for entry in entries]
    scores = [score for score in shown if score is not None]
    scale = min(90, min(scores) // 10 * 10), min(100, max(scores) // 10 * 10 + 10)
    return [course(title, series, ends, scale) for title, series in found.histories]


def course(title: str, series: Sequence[Row], ends: tuple[dt.datetime, dt.datetime], scale: tuple[int, int]) -> Figure:
    moved = [
        f"{whose} {written(series[0][name])} → {written(series[-1][name])}"
        for whose, name in (("Critics", "metascore"), ("users", "user_score"))
    ]
    finding = f"{', '.join(moved)}, {series[0]['captured_at']:%Y} to {series[-1]['last_captured_at']:%Y}."
    rows = [(f"{one['captured_at']:%Y-%m-%d}", written(one["metascore"]), written(one["user_score"])) for one in series]
    return figure(title, finding, charts.course(series, ends, scale), ("since", "Metascore", "user score"), rows)


def written(score: float | None) -> str:
    """Write a score; one that is not there is no 0."""
    return "none" if score is None else f"{score:g}"


def publications(found: Findings) -> Figure:
    """Show the busiest publications, and how generous they are."""
    heading = "Generous and strict publications"
    if not found.publications:
        finding = f"No publication has scored {LEAST_SCORES} films that have a Metascore."
        return Figure(heading, finding, None)
    *_, kind = in_order = sorted(found.publications, key=lambda one: one["above"])
    strict = in_order[0]
    finding = (
        f"The {amounts({'publication': len(found.publications)})} with most scored reviews, busiest first. "
        f"The kindest is {kind['publication']}, {points_of(kind['above'])} the Metascore on average; "
        f"the strictest {strict['publication']}, {points_of(strict['above'])}."
    )
    rows = [
        (one["publication"], f"{one['reviews']:,}", f"{one['mean']:.1f}", signed(one["above"]))
        for one in found.publications
    ]
    columns = ("publication", "reviews", "mean score", "against Metascores")
    return figure(heading, finding, charts.generosity(found.publications), columns, rows)


def points_of(above: float) -> str:
    return f"{abs(above):.1f} points {'below' if above < 0 else 'above'}"


def coverage(found: Findings) -> list[Figure]:
    """Show which fields records have."""
    return [covered(name, found.records[name], fields) for name, fields in found.coverage.items()]


def covered(name: str, whole: int, fields: Mapping[str, int]) -> Figure:
    if not whole:
        return Figure(LABELS[name], f"There are no {NOUNS[name]}s.", None)
    most_first = sorted(fields.items(), key=lambda field: -field[1])
    columns = ("field", "records", "share")
    rows = [(field, f"{number:,}", percent(number, whole)) for field, number in most_first]
    wanting = [(field, number / whole, percent(number, whole)) for field, number in most_first if number < whole]
    number = len(fields) - len(wanting)
    all_of_it = f"{number} of {len(fields)} fields are there in all of {amounts({NOUNS[name]: whole})}"
    if not wanting:
        return Figure(LABELS[name], f"{all_of_it}.", None, columns, rows)
    return figure(LABELS[name], f"{all_of_it}; the picture has the others.", charts.shares(wanting), columns, rows)


def span(years: Mapping[int | None, int]) -> str:
    """Tell the first and the last year."""
    known = [year for year in years if year is not None]
    if not known:
        return "–"
    return f"{min(known)}–{max(known)}" if len(known) > 1 else str(known[0])


def completeness(found: Findings) -> str:
    """Say how much of what the site has is there."""
    whole = sum(found.lists.values())
    if not whole:
        return "No crawl has yet been held against the numbers that the site gives."
    short, unknown = found.lists.get("short", 0), found.lists.get("unknown", 0)
    return (
        f"Of {amounts({'list': whole})} of reviews {found.lists.get('complete', 0):,} are complete, {short:,} short "
        f"({amounts({'review': found.missing})} missing) and {unknown:,} unknown."
    )


def designs(found: Findings) -> list[list[str]]:
    """Tell how many records were read from each page design."""
    return [[layout, *(f"{number:,}" for number in counts.values())] for layout, counts in found.layouts.items()]


def furthest_apart(found: Findings) -> list[tuple[str, ...]]:
    """Name the films on which critics and users differ most; how much, of 100."""
    return [
        (film["title"], str(film["metascore"]), f"{film['user_score']:.1f}", signed(film["difference"], 0))
        for film in found.disagreements
    ]


def changed(found: Findings) -> list[tuple[str, str]]:
    """Say what changed lately, and how often."""
    return [(f"{LABELS[row['kind']]}: {what_changed(row)}", f"{row['number']:,}") for row in found.changes]


def what_changed(row: Row) -> str:
    if row["field"] == "vanished_at":
        return "come back" if row["empty"] else "gone from the site"
    return f"{row['field']}{' taken away' if row['empty'] else ''}"


# What the template may call.
CHARTS = (metascores, user_scores, critics_and_users, release_years, courses, publications, coverage)
WORDS = (span, completeness, designs, furthest_apart, changed)
SECTIONS: Mapping[str, Callable[..., Any]] = {one.__name__: one for one in (*CHARTS, *WORDS)}
