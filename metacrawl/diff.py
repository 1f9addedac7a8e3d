"""What is different since a time, as people read it, on a terminal of any width."""

from collections import Counter
from collections.abc import Iterator
from os.path import commonprefix
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from metacrawl.database.changes import NOTHING
from metacrawl.database.difference import BECOME, CHANGED, Difference, became
from metacrawl.items import iso_timestamp
from metacrawl.outcome import amounts
from metacrawl.status import BAD, GOOD, MIDDLING, table, text

# How many films are named.
NAMED = 20
# Of a long value, how much is shown, and how much of that stands before the first difference.
LONGEST, BEFORE = 80, 20
COLOURS = dict(zip(BECOME, (GOOD, MIDDLING, BAD, GOOD), strict=True))


def show_difference(found: Difference) -> Iterator[RenderableType]:
    """Show how much is different of which films, and the newest changes."""
    if found.began and found.since < found.began:
        yield Text(f"The database begins at {iso_timestamp(found.began)}: all that is in it is new since then")
    if not found.films:
        yield Text(f"Nothing has changed since {iso_timestamp(found.since)}")
        return
    total = sum(found.films.values(), Counter())
    says = ", ".join(f"{total[name]:,} {name}" for name in BECOME)
    yield Text(f"Since {iso_timestamp(found.since)}: {says}, of {amounts({'film': len(found.films)})}", "bold")
    yield show_films(found.films)
    if len(found.films) > NAMED:
        yield Text(f"and {len(found.films) - NAMED:,} more films")
    if found.newest:
        yield show_changes(found.newest)
    if found.number > len(found.newest):
        more = found.number - len(found.newest)
        yield Text(f"and {more:,} more changes: scrapy export has all of them, in the table changes")


def show_films(films: dict[str, Counter[str]]) -> Table:
    """Show a line for each of the films of which most is different."""
    shown = table("film", *BECOME, numbers=BECOME, long=("film",))
    most = sorted(films.items(), key=lambda film: (-film[1].total(), film[0]))
    for film, counts in most[:NAMED]:
        shown.add_row(text(film), *(f"{counts[name]:,}" if counts[name] else "" for name in BECOME))
    return shown


def show_changes(changes: list[dict[str, Any]]) -> Table:
    """Show a line for each change."""
    shown = table("seen", "record", "field", "was", "is", long=("record", "was", "is"))
    for change in changes:
        what, values = became(change), ("", "")
        if what == CHANGED:
            values = shortened(change["old"], change["new"])
        shown.add_row(
            f"{change['seen_at']:%Y-%m-%d %H:%M}",
            text(change["key"]),
            Text(change["field"] if what == CHANGED else what, COLOURS[what]),
            *(text("–" if value == NOTHING else value) for value in values),
        )
    return shown


def shortened(old: str, new: str) -> tuple[str, str]:
    """Cut two values to where they begin to differ.

    >>> shortened("90", "91")
    ('90', '91')
    >>> shortened('"' + 100 * "a" + 'b"', '"' + 100 * "a" + 'c"')
    ('…aaaaaaaaaaaaaaaaaaaab"', '…aaaaaaaaaaaaaaaaaaaac"')
    """
    same = len(commonprefix([old, new]))  # noqa: RUF071 - of texts
    start = same - BEFORE if max(len(old), len(new)) > LONGEST and same > BEFORE else 0
    return cut(old, start), cut(new, start)


def cut(value: str, start: int) -> str:
    """Give a part of a value, with marks where there is more."""
    end = start + LONGEST
    return f"{'…' if start else ''}{value[start:end]}{'…' if len(value) > end else ''}"
