"""What a process counts of its run: kept with its row in the database, summed up in the run's record."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self


class Figures:
    """Counts by group and name.

    `pages`: pages read, by `<layout>/<kind of page>`; `records`: by `<layout>/<kind of page>/<record>`; `filled`: how
    many of those have a field, by `<layout>/<kind of page>/<record>/<field>`; `tried` and `matched`: how often an
    expression was applied and gave something, by `<layout>/<kind of page>/<record>/<field>/<expression>`; `invalid`: by
    `<record>/<field>`; `responses`: by HTTP status; `retries`: by reason; `stored`: by `new`, `changed` and
    `unchanged`.
    """

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    def count(self, group: str, name: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts.setdefault(group, Counter())[name] += number

    def add(self, figures: Mapping[str, Mapping[str, int]]) -> None:
        """Add counts as JSON holds them."""
        for group, counts in figures.items():
            self.counts.setdefault(group, Counter()).update(counts)

    def of(self, group: str) -> Counter[str]:
        """Give the counts of a group."""
        return self.counts.get(group, Counter())

    def as_json(self) -> dict[str, dict[str, int]]:
        """Give all counts as JSON holds them."""
        return {group: dict(sorted(counts.items())) for group, counts in sorted(self.counts.items())}

    @classmethod
    def summed(cls, many: Iterable[Mapping[str, Mapping[str, int]] | None]) -> Self:
        """Sum up what several processes have counted."""
        total = cls()
        for figures in many:
            total.add(figures or {})
        return total
