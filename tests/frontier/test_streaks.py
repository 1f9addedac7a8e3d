"""How many pages in a row may fail, and what is slowed down meanwhile."""

import pytest

from metacrawl.frontier.quiet import Quiet
from metacrawl.frontier.streaks import LONGEST, Streaks
from metacrawl.outcome import Outcome, Problem

HOST = "127.0.0.1"


class Watched(Streaks):
    """Streaks of a run that notes what it is halted for."""

    def __init__(self, delay=1.0):
        self.halted = []
        super().__init__(delay, Quiet(), self.halted.append)

    def fail(self, outcome, times=1):
        for _ in range(times):
            self.failed(HOST, Problem(outcome, "http://127.0.0.1/movie/her: no"))


@pytest.fixture
def streaks():
    return Watched()


@pytest.mark.parametrize(
    ("outcome", "limit"), [(Outcome.BLOCKED, 5), (Outcome.RATE_LIMITED, 3), (Outcome.SITE_DOWN, 10)]
)
def test_a_run_is_halted_once_at_the_limit_of_its_reason(streaks, outcome, limit):
    streaks.fail(outcome, limit - 1)
    assert streaks.halted == []
    streaks.fail(outcome, 2)
    assert [problem.outcome for problem in streaks.halted] == [outcome]
    assert f"; {limit} pages in a row " in streaks.halted[0].message
    assert "http://127.0.0.1/movie/her: no" in streaks.halted[0].message


@pytest.mark.parametrize("answer", ["a page", Outcome.PARTIAL, Outcome.LAYOUT])
def test_an_answer_of_the_sites_ends_a_streak(streaks, answer):
    streaks.fail(Outcome.BLOCKED, 4)
    streaks.answered() if answer == "a page" else streaks.fail(answer)
    streaks.fail(Outcome.BLOCKED, 4)
    assert streaks.halted == []


@pytest.mark.parametrize("ours", [Outcome.ROBOTS, Outcome.INTERNAL])
def test_what_says_nothing_of_the_site_does_not(streaks, ours):
    streaks.fail(Outcome.SITE_DOWN, 9)
    streaks.fail(ours)
    streaks.fail(Outcome.SITE_DOWN)
    assert len(streaks.halted) == 1


def test_reasons_that_take_turns_do_not_hide_each_other(streaks):
    for _ in range(5):
        streaks.fail(Outcome.SITE_DOWN)
        streaks.fail(Outcome.BLOCKED)
    assert [problem.outcome for problem in streaks.halted] == [Outcome.BLOCKED]


def test_each_block_doubles_the_time_between_requests_until_the_site_answers(streaks):
    gaps = []
    for _ in range(4):
        streaks.fail(Outcome.BLOCKED)
        gaps.append(streaks.quiet.gaps[HOST])
    assert gaps == [2, 4, 8, 16]
    streaks.answered()
    assert streaks.quiet.gaps == {}


@pytest.mark.parametrize("outcome", [Outcome.SITE_DOWN, Outcome.PARTIAL, Outcome.LAYOUT])
def test_other_failures_slow_nothing_down(streaks, outcome):
    streaks.fail(outcome, 3)
    assert streaks.quiet.gaps == {}


def test_no_wait_is_longer_than_a_run_may_stand_still():
    streaks = Watched(delay=600.0)
    streaks.fail(Outcome.BLOCKED, 2)
    assert streaks.quiet.gaps[HOST] == LONGEST
