"""How a run ends: one outcome, its exit code, and a line that a person can act on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

TOLD_OF_EACH = 3


class Outcome(Enum):
    """The ways a run ends, each with its exit code, worst first."""

    CONFIG = 2
    LOCKED = 3
    INTERNAL = 70
    DISK_FULL = 17
    DATABASE = 18
    INTERRUPTED = 130
    TERMINATED = 143
    STALLED = 20
    LAYOUT = 14
    BLOCKED = 11
    RATE_LIMITED = 12
    SITE_DOWN = 16
    ROBOTS = 13
    INVALID = 15
    PARTIAL = 10
    COMPLETE = 0

    @property
    def label(self) -> str:
        """The outcome as people read it."""
        return "interrupted" if self is Outcome.TERMINATED else self.name.lower()


class RefusedError(Exception):
    """A run cannot start; the message says in one line why, and what to do."""

    outcome: Outcome

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class ConfigError(RefusedError):
    """An argument or a setting is wrong; the message names it and its value."""

    outcome = Outcome.CONFIG


class DatabaseError(RefusedError):
    """The database cannot be used; the message names it."""

    outcome = Outcome.DATABASE


class DiskFullError(DatabaseError):
    """A disk takes no more; the message names the database or the file."""

    outcome = Outcome.DISK_FULL


class LockedError(RefusedError):
    """Another crawl has the database; the message names it."""

    outcome = Outcome.LOCKED


class StalledError(RefusedError):
    """Nobody does what is due; the message names it."""

    outcome = Outcome.STALLED


class NothingError(RefusedError):
    """There is no record to work on; the message says how to get some."""

    outcome = Outcome.INVALID


class IncompleteError(RefusedError):
    """There is no whole dataset to publish; the message says why, and what to do."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        self.outcome = outcome
        super().__init__(message)


class DamagedError(RefusedError):
    """A file was written that is not as it should be; the message names it."""

    outcome = Outcome.INTERNAL


def printable(text: str) -> str:
    r"""Make text safe for a terminal and a log: one line, no control characters.

    >>> printable("two\nlines, \x1b[31mred")
    'two\\nlines, \\x1b[31mred'
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def told(error: BaseException | None) -> str:
    """Name an exception in a few words: its message may hold a whole page."""
    return f"{type(error).__name__}: {error}"[:200]


@dataclass(frozen=True)
class Problem:
    """Something that went wrong, and that alone would make a run end in `outcome`; the message is made printable."""

    outcome: Outcome
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))


# What is wrong with single pages makes a run with others partial.
PAGES_OUTCOMES = frozenset({Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.SITE_DOWN, Outcome.ROBOTS})


@dataclass(frozen=True)
class Ending:
    """What is known of a run's end beside its problems and records."""

    unfinished: bool = False
    """The run is open: the same command goes on with it."""

    halted: frozenset[Outcome] = frozenset()
    """What the whole run was ended for."""

    short: str = ""
    """What is missing of what the site has."""

    elsewhere: str = ""
    """The same, where there is no more than was read."""

    not_due: str = ""
    """What was not asked for, for it was read not long ago."""


@dataclass
class Problems:
    """What went wrong in a run: counted, and the first few of each kind told."""

    count: Counter[Outcome] = field(default_factory=Counter)
    told: dict[Outcome, list[str]] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Take a problem in."""
        self.count[problem.outcome] += 1
        told = self.told.setdefault(problem.outcome, [])
        if len(told) < TOLD_OF_EACH:
            told.append(problem.message)

    def put_first(self, problem: Problem) -> None:
        """Take in one that is to be told before the others of its kind."""
        self.count[problem.outcome] += 1
        self.told.setdefault(problem.outcome, []).insert(0, problem.message)

    @property
    def worst(self) -> Outcome:
        """The worst outcome that was noted."""
        return next((outcome for outcome in Outcome if self.count[outcome]), Outcome.COMPLETE)

    def describe(self, outcome: Outcome) -> str:
        """Tell the problems of one kind."""
        told = self.told.get(outcome, [])
        more = self.count[outcome] - len(told)
        return "; ".join([*told, *([f"and {more} more"] if more else [])])


def amounts(met: Mapping[str, int]) -> str:
    """Tell how much there is of what, for instance `1 film, 2 critic reviews`."""
    return ", ".join(f"{number:,} {noun}{'s' * (number != 1)}" for noun, number in met.items())


def conclude(problems: Problems, met: Mapping[str, int], database: str, ending: Ending) -> tuple[Outcome, str]:
    """Work out how a run ended, and say it in a line: what went wrong, how much of what was met, where it lies."""
    worst = problems.worst
    outcome, says = worst, [problems.describe(worst), ending.short]
    if worst in PAGES_OUTCOMES and any(met.values()) and worst not in ending.halted:
        outcome = Outcome.PARTIAL
    if worst is Outcome.COMPLETE and ending.short:
        outcome = Outcome.PARTIAL
    if worst is Outcome.COMPLETE and not any(met.values()) and not ending.not_due:
        outcome, says = Outcome.INVALID, ["no record was found"]
    if outcome is Outcome.PARTIAL:
        says.reverse()
    says += [
        f"{amounts(met)} in {database}" if met else "",
        ending.elsewhere and f"not to be had here: {ending.elsewhere}",
        ending.not_due,
    ]
    if ending.unfinished:
        says.append("run the same command again to go on")
    elif ending.short or worst in {*PAGES_OUTCOMES, Outcome.PARTIAL} - {Outcome.ROBOTS}:
        says.append("run the same command again to retry")
    return outcome, "; ".join(filter(None, says))
