"""The promises of a crawl that is killed: nothing lost, nothing doubled, little fetched again."""

import pytest
from rich.console import Console

from tests.faults.kill_sweep import parse, report, sweep

POINTS, OF_THE_CONTROL = 50, 3


@pytest.fixture(scope="module")
def figures():
    """Metacrawl's figures and the control's, on a small site and on a larger one."""
    options = ("--points", POINTS, "--control", OF_THE_CONTROL, "--large", OF_THE_CONTROL)
    console = Console(width=160)
    found = sweep(parse([str(option) for option in options]), console.print)
    console.print(report(found))
    return found


def test_a_crawl_that_is_killed_anywhere_goes_on_and_has_everything_once(figures):
    small, _, large, _ = figures
    faults = [*small.faults, *large.faults]
    assert not faults, "\n".join(faults)
    assert sum(len(case.refetched) for case in small.cases) > POINTS * 0.9
    assert sum(case.resumed for case in small.cases) > POINTS * 0.8


def test_the_control_is_seen_to_lose_and_to_double_records(figures):
    _, small, _, large = figures
    assert large.calm.verdict.flawless
    assert [case.verdict.lost for case in large.cases if case.end.complete and case.verdict.lost]
    assert small.total("twice") > 0
