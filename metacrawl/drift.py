"""Whether pages are still read as they used to be. Pure.

What tells: fields that vanish or turn constant, pages that cannot be read, lists that are longer or shorter than said.

How improbable it is that a field is missing by chance is told in digits: 6 are one in a million.
"""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from metacrawl.extract import Page
from metacrawl.figures import Figures
from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.layouts.floors import ENOUGH, FLOORS, SCORES, VARIES

T = TypeVar("T")
Key = tuple[str, ...]

# When the site has changed; what one page adds to that at the most; when a page is wrong for certain, all by itself.
ALARM, OF_A_PAGE, CERTAIN = 6.0, 2.0, 9.0
# A floor counts as much as so many records that were seen, and any field may be missing from one record in a hundred.
PRIOR, HIGHEST = 20, 0.99
# A page without a field that is rarer is not held for it.
OFTEN = 0.5
# So many films, or reviews, with the same value are no accident.
SAME: dict[type[Record], int] = {Movie: 6, CriticReview: 20, UserReview: 20}
# So many pages of a kind that cannot be read: one after the other, or of the last so many.
IN_A_ROW, UNREAD, LATEST = 5, 10, 20
# So many lists, one after the other, that are longer or shorter than the site says, by more than this share.
LISTS, TOLERATED = 3, 0.1
# Lists that are being counted; of others the first pages were read by another process.
LISTS_MET = 1000


@dataclass
class Streak(Generic[T]):
    """Pages, one after the other, without a field, or with the same value in it."""

    since: str
    share: float = 1.0
    """Of the records that should have the field."""

    value: object = None
    digits: float = 0.0
    pages: int = 0
    records: int = 0
    films: set[str] = field(default_factory=set)
    held: list[T] = field(default_factory=list)


@dataclass
class Sight(Generic[T]):
    """A page as it is judged, and what follows."""

    page: Page
    name: T
    url: str
    hold: bool = False
    """It may have been misread: the next ones will tell."""

    wrong: str = ""
    """Why it cannot be right, whatever the others tell."""

    changed: str = ""
    """How the site has changed, so that there is no use in going on."""

    misread: list[T] = field(default_factory=list)
    """The pages, held until now, that show it."""

    cleared: list[T] = field(default_factory=list)
    """The pages, held until now, that are well."""

    @property
    def where(self) -> str:
        """What page it is."""
        return f"{self.page.ref.kind} page of layout {self.page.layout.name}"

    def key(self, record: type[Record], *more: str) -> Key:
        """Name what is judged."""
        return self.page.layout.name, self.page.ref.kind, record.__name__, *more


class Judge(Generic[T]):
    """Looks at the pages of a run in turn. `before` is what earlier processes have counted, `now` what this one has."""

    def __init__(self, before: Figures, now: Figures) -> None:
        self.figures = before, now
        self.streaks: dict[Key, Streak[T]] = {}
        self.reasons: dict[T, set[Key]] = {}
        self.read: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=LATEST))
        self.totals: dict[tuple[str, str], int] = {}
        self.lists: dict[tuple[str, str], dict[int, int]] = {}
        self.mismatched: Counter[str] = Counter()

    def see(self, page: Page, name: T, url: str) -> Sight[T]:
        """Judge a page that could be read; `name` is how to speak of it later."""
        self.read[page.ref.kind].append(True)
        sight = Sight(page, name, url)
        kinds: dict[type[Record], Collection[Record]] = {
            Movie: page.movies,
            CriticReview: page.critic_reviews,
            UserReview: page.user_reviews,
        }
        for kind, records in kinds.items():
            floors = FLOORS[page.layout.name, page.ref.kind][kind]
            for name_of_field in floors if records else ():
                self.see_missing(sight, kind, records, name_of_field, floors[name_of_field])
            if records:
                self.see_same(sight, kind, records)
        self.see_totals(sight)
        return sight

    def see_unread(self, kind: str) -> str:
        """Judge that a page could not be read; returns how the site has changed, if it has."""
        read = self.read[kind]
        read.append(False)
        if len(read) >= IN_A_ROW and not any(list(read)[-IN_A_ROW:]):
            return f"none of the last {IN_A_ROW} {kind} pages can be read"
        if len(read) == LATEST and read.count(False) >= UNREAD:
            return f"{UNREAD} of the last {LATEST} {kind} pages cannot be read"
        return ""

    def see_missing(
        self, sight: Sight[T], kind: type[Record], records: Collection[Record], name: str, floor: float
    ) -> None:
        """Look for a field that no record has."""
        key = sight.key(kind, name)
        if any(getattr(record, name) not in (None, []) for record in records):
            self.end(key, sight)
            return
        should_have = sum(is_judged(record, name, sight.page) for record in records)
        if not should_have and key not in self.streaks:
            return
        if key not in self.streaks:
            self.streaks[key] = Streak(sight.url, self.share(key, floor))
        streak = self.streaks[key]
        # Films that stand together in a list may lack the same.
        digits = -math.log10(1 - streak.share) * (min(should_have, 1) if kind is Movie else should_have)
        streak.digits += min(digits, OF_A_PAGE)
        self.go_on(sight, key, hold=streak.share >= OFTEN)
        if digits >= CERTAIN:
            sight.wrong = sight.wrong or f"{sight.where}: no {kind.__name__} of {len(records)} has its {name}"
        # 0.99 gives 1.9999999 digits.
        if round(streak.digits, 6) >= ALARM:
            self.alarm(sight, streak, f"no {kind.__name__} has its {name}")

    def see_same(self, sight: Sight[T], kind: type[Record], records: Collection[Record]) -> None:
        """Look for a field that has the same value in all records; where others have, too, they are copies."""
        same = [name for name in VARIES[kind] if self.is_same(sight, sight.key(kind, name, "same"), records)]
        if len(same) != 1:
            return
        key = sight.key(kind, same[0], "same")
        streak = self.streaks[key]
        self.go_on(sight, key, hold=len(streak.films) > 1)
        # A film's pages are right to agree.
        if (len(streak.films) if kind is Movie else streak.records) >= SAME[kind]:
            self.alarm(sight, streak, f"every {kind.__name__} has the same {same[0]}")

    def is_same(self, sight: Sight[T], key: Key, records: Collection[Record]) -> bool:
        """Tell whether all records have the same value in a field, and if so those of the pages before, too."""
        values = {getattr(record, key[3]) for record in records}
        value = values.pop()
        if values or value is None:
            self.end(key, sight)
            return False
        if key in self.streaks and self.streaks[key].value != value:
            self.end(key, sight)
        streak = self.streaks.setdefault(key, Streak(sight.url, value=value))
        streak.films.add(sight.page.ref.slug)
        streak.records += len(records)
        return len(streak.films) > 1 or len(records) > 1

    def see_totals(self, sight: Sight[T]) -> None:
        """Count a list to its end, and hold its length against what the site says."""
        page = sight.page
        for total in page.totals:
            if total.number and not total.at_least:
                self.totals[total.film, total.reviews] = total.number
        about = next(
            ((page.ref.slug, reviews) for reviews, whole in page.layout.lists.items() if whole.kind is page.ref.kind),
            None,
        )
        if about is None:
            return
        counted = self.lists.setdefault(about, {})
        counted[page.ref.number] = len(page.critic_reviews) + len(page.user_reviews)
        if page.next_page is None:
            self.lists.pop(about)
            if about in self.totals and 0 in counted:
                self.compare(sight, sum(counted.values()), self.totals[about])
        elif len(self.lists) > LISTS_MET:
            self.lists.pop(next(iter(self.lists)))

    def compare(self, sight: Sight[T], read: int, said: int) -> None:
        """Hold the length of a list against what the site says."""
        wrong = abs(said - read) > max(1, said * TOLERATED)
        kind = sight.page.ref.kind
        self.mismatched[kind] = self.mismatched[kind] + 1 if wrong else 0
        if self.mismatched[kind] >= LISTS:
            which = f"{LISTS} lists in a row do not have as many reviews as the site says"
            sight.changed = f"{sight.where}: {which}: {read} instead of {said} of {sight.page.ref.slug}"

    def share(self, key: Key, floor: float) -> float:
        """Tell which share of records has a field: at the most its floor, less where fewer had it before."""
        filled = sum(figures.of("filled")["/".join(key)] for figures in self.figures)
        records = sum(figures.of("records")["/".join(key[:-1])] for figures in self.figures)
        return min(floor, (filled + PRIOR * floor) / (records + PRIOR), HIGHEST)

    def go_on(self, sight: Sight[T], key: Key, *, hold: bool) -> None:
        """Add a page to a streak."""
        streak = self.streaks[key]
        streak.pages += 1
        if hold:
            sight.hold = True
            streak.held.append(sight.name)
            self.reasons.setdefault(sight.name, set()).add(key)

    def end(self, key: Key, sight: Sight[T]) -> None:
        """End a streak: its pages are well, unless they are held for another reason."""
        streak = self.streaks.pop(key, None)
        for name in streak.held if streak else ():
            self.reasons[name].discard(key)
            if not self.reasons[name]:
                del self.reasons[name]
                sight.cleared.append(name)

    def alarm(self, sight: Sight[T], streak: Streak[T], says: str) -> None:
        sight.changed = f"{sight.where}: {says}, on {streak.pages} pages since {streak.since}"
        sight.misread = list(dict.fromkeys([*streak.held, sight.name]))

    def skip(self, film: str) -> None:
        """Do without a page of a film that was not read: a list that it is part of cannot be counted."""
        for about in [about for about in self.lists if about[0] == film]:
            del self.lists[about]

    def forget(self, name: T) -> None:
        """Hold a page no longer."""
        for key in self.reasons.pop(name, ()):
            self.streaks[key].held.remove(name)


def is_judged(record: Record, name: str, page: Page) -> bool:
    """Tell whether a record is one of those that the floor of a field is for."""
    if not isinstance(record, Movie) or name == "title":
        return True
    if name in SCORES:
        shown, basis = SCORES[name]
        said, least = getattr(record, basis), ENOUGH if basis.endswith("_count") else 0
        return len(getattr(page, shown)) >= ENOUGH or (said is not None and said >= least)
    return bool(page.critic_reviews or record.critic_review_count or record.metascore is not None)
