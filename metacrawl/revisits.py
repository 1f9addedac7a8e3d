"""When a film is to be read again: the older, the less often, and now and then in full."""

import datetime as dt
import zlib
from dataclasses import dataclass, field
from typing import Any

from scrapy.settings import BaseSettings

from metacrawl.outcome import ConfigError

# What stands in the setting for any age.
OLDER = "older"
# A crawl that is started at the same hour each night is not always so to the minute, or done at once.
EARLY = dt.timedelta(hours=12)


@dataclass(frozen=True)
class Visit:
    """When a film was read to its end last, and what was seen of it."""

    film: str
    visited_at: dt.datetime
    swept_at: dt.datetime
    """When all of its pages were read, not only those that showed something new."""

    released: dt.date | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    """What its page said of its scores and counts."""


@dataclass(frozen=True)
class Revisits:
    """How often films are read."""

    days: tuple[tuple[float, float], ...]
    """Up to which age every how many days, 0 for each time; by rising age, the last one for any."""

    sweep: float
    """After how many days all of a film is read at the latest."""

    def due_at(self, visit: Visit, now: dt.datetime) -> dt.datetime:
        """Tell from when on a film is to be read."""
        # A film that is not out yet, or of which that is not known, is as new as can be.
        age = (now.date() - visit.released).days if visit.released else 0
        every = next(days for up_to, days in self.days if age <= up_to)
        again = visit.visited_at + dt.timedelta(days=every) - EARLY if every else visit.visited_at
        return min(again, self.sweep_at(visit))

    def sweep_at(self, visit: Visit) -> dt.datetime:
        """Tell from when on all of a film is to be read: not of all films in the same night."""
        share = zlib.crc32(visit.film.encode()) / 2**32
        return visit.swept_at + dt.timedelta(days=self.sweep * (1 + share) / 2)


def read_revisits(settings: BaseSettings) -> Revisits:
    """Read how often films are to be read. Raises `ConfigError`."""
    name = "METACRAWL_REVISIT_DAYS"
    wrong = f"{name}={settings[name]} is no table such as"
    try:
        table = settings.getdict(name)
        days = sorted((float("inf" if age == OLDER else age), float(every)) for age, every in table.items())
    except (TypeError, ValueError):
        days = []
    if not (days and days[-1][0] == float("inf") and all(age >= 0 and 0 <= every < 1e5 for age, every in days)):
        raise ConfigError(f'{wrong} {{"30": 0, "365": 7, "{OLDER}": 90}}: days of age, and every how many days')
    try:
        sweep = settings.getfloat("METACRAWL_SWEEP_DAYS")
    except ValueError:
        sweep = -1
    if not 0 <= sweep < 1e5:
        raise ConfigError(f"METACRAWL_SWEEP_DAYS={settings['METACRAWL_SWEEP_DAYS']} is no number of days, 0 or more")
    return Revisits(tuple(days), sweep)
