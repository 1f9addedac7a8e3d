"""Pages in a row that fail for the same reason: that reason holds for all, so the run does not try them all."""

from collections import Counter
from collections.abc import Callable

from metacrawl.frontier.quiet import Quiet
from metacrawl.outcome import Outcome, Problem

# How many in a row are enough, and what that says. A refusal is soon clear; a server may have a bad minute.
LIMITS = {
    Outcome.BLOCKED: (5, "the site turns us away: leave it alone for some hours"),
    Outcome.RATE_LIMITED: (3, "the site has too many requests: leave it alone for some hours, or raise DOWNLOAD_DELAY"),
    Outcome.SITE_DOWN: (10, "the site does not answer"),
}
# What says nothing of the site.
OURS = frozenset({Outcome.ROBOTS, Outcome.INTERNAL})
# In seconds: no wait of ours is longer.
LONGEST = 900.0


class Streaks:
    """Slows the crawl down while pages are blocked, twice as much each time, and halts it at the limit of a reason."""

    def __init__(self, delay: float, quiet: Quiet, halt: Callable[[Problem], None]) -> None:
        self.delay, self.quiet, self.halt = delay, quiet, halt
        self.lengths: Counter[Outcome] = Counter()

    def failed(self, host: str, problem: Problem) -> None:
        """Take in that a page could not be had."""
        outcome = problem.outcome
        if outcome in OURS:
            return
        if outcome not in LIMITS:
            self.answered()
            return
        self.lengths[outcome] += 1
        length, (limit, says) = self.lengths[outcome], LIMITS[outcome]
        if length == limit:
            self.halt(Problem(outcome, f"{says}; {length} pages in a row could not be had, {problem.message} the last"))
        elif outcome is Outcome.BLOCKED:
            self.quiet.gaps[host] = min(self.delay * 2**length, LONGEST)

    def answered(self) -> None:
        """Take in that the site has answered as it should, if only that there is no such page."""
        self.lengths.clear()
        self.quiet.gaps.clear()
