"""The ledger: what pages say of how many reviews there are, what is stored of them, and the verdict for each film."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import sqlalchemy as sa

from metacrawl.completeness import COMPLETE, LISTS, NOT_SAID, SHORT, Total, Verdict, judge, place_in_words
from metacrawl.database.rows import upsert
from metacrawl.database.schema import COMPLETENESS, CRITIC_REVIEWS, FRONTIER, LEFT_OUT, PROBLEMS, TOTALS, USER_REVIEWS
from metacrawl.outcome import amounts
from metacrawl.urls import PageKind

TABLES = {PageKind.CRITIC_REVIEWS: CRITIC_REVIEWS, PageKind.USER_REVIEWS: USER_REVIEWS}
NOUNS = {PageKind.CRITIC_REVIEWS: "critic review", PageKind.USER_REVIEWS: "user review"}
# How many films are named in a line.
NAMED = 3

# A film and a kind of review.
List = tuple[str, PageKind]


def keep(connection: sa.Connection, run: int, request: int, asked_for: str, totals: Iterable[Total]) -> None:
    """Keep what the page of a request has said; the same page again says it anew, unless the site showed it before."""
    rows = [
        {
            "run": run,
            "film": total.film,
            "reviews": total.reviews.value,
            "source": total.source,
            "sorted_by": total.sorted_by,
            "page": total.page,
            "total": total.number,
            "at_least": total.at_least,
            "entries": total.entries,
            "captured_at": total.captured_at,
            "request": request,
            "again": total.again,
            "asked_for": asked_for,
        }
        for total in totals
    ]
    if rows:
        upsert(connection, TOTALS, rows, newer="captured_at")


@dataclass
class Ledger:
    """The verdicts of a run on each film and kind of review that it was to read."""

    verdicts: dict[List, Verdict] = field(default_factory=dict)

    def of(self, verdict: str) -> dict[List, Verdict]:
        """Give those of one verdict."""
        return {which: found for which, found in self.verdicts.items() if found.verdict == verdict}

    def explains(self, film: str | None, kind: str | None, *, even_short: bool) -> bool:
        """Tell whether a page may be missing: its list is complete without it, or is named as short in its stead."""
        enough = {COMPLETE, SHORT} if even_short else {COMPLETE}
        verdicts = (self.verdicts.get((film or "", reviews)) for reviews in TABLES if kind in LISTS[reviews])
        return any(verdict and verdict.verdict in enough for verdict in verdicts)

    def describe(self) -> str:
        """Tell how much is short, and of which films; empty if nothing is."""
        short = self.of(SHORT)
        if not short:
            return ""
        films = {film for film, _ in self.verdicts}
        lacking = list(dict.fromkeys(film for film, _ in short))
        missing = sum(verdict.missing for verdict in short.values())
        least = "at least " if any(verdict.at_least for verdict in short.values()) else ""
        named = [
            f"{film} ({amounts({NOUNS[kind]: verdict.missing})}: {place_in_words(verdict.why or '')})"
            for (film, kind), verdict in islice(short.items(), NAMED)
        ]
        more = [f"and {len(short) - NAMED} more lists"] if len(short) > NAMED else []
        return (
            f"{len(lacking):,} of {len(films):,} film{'s' * (len(films) != 1)} short, "
            f"{least}{missing:,} review{'s' * (missing != 1)} missing: {', '.join([*named, *more])}"
        )


def settle(connection: sa.Connection, run: int, wanted: Collection[PageKind]) -> Ledger:
    """Judge all that a run has read of the `wanted` kinds of review, and keep the verdicts."""
    ledger = judge_all(connection, run, wanted)
    rows = [
        {"film": film, "reviews": kind.value, "run": run} | vars(verdict)
        for (film, kind), verdict in ledger.verdicts.items()
    ]
    if rows:
        upsert(connection, COMPLETENESS, rows)
    return ledger


def judge_all(connection: sa.Connection, run: int, wanted: Collection[PageKind]) -> Ledger:
    """Judge all that a run has read of the `wanted` kinds of review so far."""
    totals, failures = read_totals(connection, run), read_failures(connection, run)
    stored = {kind: count_stored(connection, run, kind) for kind in wanted}
    ledger = Ledger()
    # In an order that is the same in all runs, so that no two wait for each other's verdicts.
    for film in sorted({film for film, _ in (*totals, *failures)}):
        for kind in sorted(wanted):
            failure = failures.get((film, kind))
            ledger.verdicts[film, kind] = judge(totals[film, kind], stored[kind].get(film, 0), failure)
    return ledger


def read_totals(
    connection: sa.Connection, run: int, films: Collection[str] | None = None
) -> defaultdict[List, list[Total]]:
    """Read what the pages of a run have said, in the order of capture."""
    found: defaultdict[List, list[Total]] = defaultdict(list)
    query = sa.select(TOTALS).where(TOTALS.c.run == run)
    if films is not None:
        query = query.where(TOTALS.c.film.in_(films))
    for row in connection.execute(query.order_by(TOTALS.c.film, TOTALS.c.captured_at, TOTALS.c.request)).mappings():
        kind = PageKind(row["reviews"])
        found[row["film"], kind].append(
            Total(
                row["film"], kind, row["source"], row["total"], row["at_least"],
                row["sorted_by"], row["page"], row["entries"], row["again"] or "", row["captured_at"],
            )
        )  # fmt: skip
    return found


def read_failures(connection: sa.Connection, run: int) -> dict[List, str]:
    """Read the first thing that went wrong with a page of each list, or with the page of the film."""
    found: dict[List, str] = {}
    query = sa.select(PROBLEMS.c.film, PROBLEMS.c.kind, PROBLEMS.c.message).where(
        PROBLEMS.c.run == run, PROBLEMS.c.film.is_not(None)
    )
    for film, kind, message in connection.execute(query.order_by(PROBLEMS.c.id)):
        for reviews in lists_behind(kind):
            found.setdefault((film, reviews), message)
    return found


def lists_behind(kind: str) -> Sequence[PageKind]:
    """Tell which lists of a film a page of a kind leads to, or is part of."""
    return [reviews for reviews in TABLES if kind in LISTS[reviews]] or list(TABLES)


def count_stored(connection: sa.Connection, run: int, kind: PageKind) -> Counter[str]:
    """Count the reviews of each film that a run has met, or a later one since; those that must not be stored, too."""
    films = [TABLES[kind].c.movie_slug, *([LEFT_OUT.c.film] if kind is PageKind.USER_REVIEWS else [])]
    counts: Counter[str] = Counter()
    for film in films:
        query = sa.select(film, sa.func.count()).where(film.table.c.seen_run >= run).group_by(film)
        counts.update(dict(connection.execute(query).all()))
    return counts


def forgive(connection: sa.Connection, run: int, ledger: Ledger) -> None:
    """Try no more for pages of lists that are complete without them."""
    query = sa.select(PROBLEMS.c.page, PROBLEMS.c.film, PROBLEMS.c.kind).where(
        PROBLEMS.c.run == run, PROBLEMS.c.page.is_not(None)
    )
    pages = [
        {"page": page}
        for page, film, kind in connection.execute(query)
        if ledger.explains(film, kind, even_short=False)
    ]
    # By their run, too: the id of a request that is forgotten may be another one's by now.
    failed = sa.and_(FRONTIER.c.id == sa.bindparam("page"), FRONTIER.c.run == run, FRONTIER.c.state == "dead")
    if pages:
        connection.execute(sa.update(FRONTIER).where(failed).values(state="done"), pages)


def lists_to_read_again(connection: sa.Connection, run: int, wanted: Collection[PageKind]) -> dict[str, str]:
    """Give the lists of which something is missing, in another order: the site's own URL → what led to the film."""
    verdicts = judge_all(connection, run, wanted).verdicts
    # Where only nobody knows how many there are, another reading tells no more.
    lists = {which for which, found in verdicts.items() if found.verdict != COMPLETE and found.why != NOT_SAID}
    if not lists:
        return {}
    columns = TOTALS.c.film, TOTALS.c.reviews, TOTALS.c.again, TOTALS.c.asked_for
    rows = connection.execute(sa.select(*columns).where(TOTALS.c.run == run, TOTALS.c.again != ""))
    return {again: asked_for for film, reviews, again, asked_for in rows if (film, PageKind(reviews)) in lists}
