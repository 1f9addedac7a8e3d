"""What a schedule is made of, and what comes of it."""

import datetime as dt
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from apscheduler.triggers.cron import CronTrigger

from metacrawl.outcome import Outcome


@dataclass(frozen=True)
class Step:
    """A command of metacrawl's, as words: `crawl movies -a movie=her`."""

    words: tuple[str, ...]

    @property
    def is_crawl(self) -> bool:
        """Whether it may be done by Scrapyd."""
        return self.words[0] == "crawl"

    @property
    def command(self) -> str:
        """The command as a person types it."""
        return shlex.join(["scrapy", *self.words])


@dataclass(frozen=True)
class Crawl:
    """What a step that crawls asks for."""

    spider: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """What is done together, one step after the other."""

    name: str

    when: str
    """When it is due, for people: what the file says, with the time zone if it is not UTC."""

    trigger: CronTrigger
    steps: tuple[Step, ...]

    def due_after(self, moment: dt.datetime) -> dt.datetime:
        """Tell when it is due next, later than a moment."""
        # In UTC: a sum of local time forgets which of the two hours it was on the night when clocks go back.
        after = moment.astimezone(dt.UTC) + dt.timedelta(seconds=1)
        due: dt.datetime = self.trigger.get_next_fire_time(None, after)
        return due.astimezone(dt.UTC)


@dataclass(frozen=True)
class Result:
    """How a step ended."""

    outcome: Outcome
    message: str

    crashed: bool = False
    """Whether it ended without saying how: it is done again, and goes on where it stopped."""


class StoppedError(Exception):
    """The scheduler was told to end before the step was over; whatever else runs it goes on."""
