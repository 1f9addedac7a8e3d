"""The turns that workers take at a host."""

import threading

import pytest
import sqlalchemy as sa

from metacrawl.database.schema import HOSTS
from metacrawl.frontier.hosts import LONGEST, claim, hold_back, may_ask, pause_of
from metacrawl.frontier.queue import Clock
from tests.frontier.parts import until

DELAY = 0.3
WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_a_turn_is_one_workers_and_the_next_comes_after_the_delay(database):
    assert database.do(claim, "host", DELAY) == 0
    wait = database.do(claim, "host", DELAY)
    assert 0 < wait <= DELAY + 0.1
    assert database.do(claim, "other", DELAY) == 0
    until(lambda: not database.do(claim, "host", DELAY))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_those_who_have_waited_for_the_database_do_not_all_go_at_once(database):
    database.do(claim, "host", DELAY)
    waits = []
    threads = [threading.Thread(target=lambda: waits.append(database.do(claim, "host", DELAY))) for _ in range(3)]
    with database.engine.begin() as connection:
        connection.execute(sa.select(HOSTS).with_for_update())
        for thread in threads:
            thread.start()
        until(lambda: database.do(lambda other: other.execute(WAITING).scalar_one()) == len(threads))
        stuck_at = connection.execute(sa.select(Clock())).scalar_one()
        until(lambda: connection.execute(sa.select(Clock())).scalar_one() > stuck_at + 2 * DELAY)
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(wait == 0 for wait in waits) == [False, False, True]


def test_a_pause_holds_for_all_slots_of_a_host_and_for_whoever_asks(database, second):
    database.do(claim, "host", 0)
    database.do(hold_back, "host", 600)
    for other in (database, second):
        assert 590 < other.do(pause_of, "host") <= 600
        pause, turn = other.do(may_ask, "host", "slot", DELAY)
        assert (590 < pause <= 600, turn) == (True, 0)
    # Nobody has taken the slot's turn meanwhile.
    assert second.do(may_ask, "other", "slot", DELAY) == (0, 0)
    assert second.do(may_ask, "other", "slot", DELAY)[1] > 0


def test_a_pause_of_a_host_that_was_never_asked_is_kept_too(database):
    assert database.do(pause_of, "host") == 0
    database.do(hold_back, "host", 600)
    assert database.do(pause_of, "host") > 590
    assert database.do(claim, "host", DELAY) == 0


def test_a_short_pause_does_not_cut_a_long_one(database):
    database.do(hold_back, "host", 600)
    database.do(hold_back, "host", 1)
    assert database.do(pause_of, "host") > 590
    database.do(hold_back, "host", 1200)
    assert database.do(pause_of, "host") > 1190


@pytest.mark.parametrize("column", ["next_at", "quiet_until"])
def test_what_a_clock_that_was_wrong_has_noted_is_no_pause_for_ever(database, column):
    database.do(hold_back, "host", LONGEST)
    assert LONGEST - 10 < database.do(pause_of, "host") <= LONGEST + 1
    year = 365 * 86_400
    times = {"next_at": 0, "quiet_until": 0} | {column: Clock() + year}
    database.do(lambda connection: connection.execute(sa.update(HOSTS).values(times)))
    assert database.do(may_ask, "host", "host", DELAY) == (0, 0)
    assert 0 < database.do(claim, "host", DELAY) <= DELAY + 0.1
    database.do(hold_back, "host", 600)
    assert 590 < database.do(pause_of, "host") <= 600


def test_the_turn_of_a_slow_worker_is_kept_by_a_quick_one(database):
    database.do(claim, "host", 900)
    assert 890 < database.do(claim, "host", DELAY) <= 900 + DELAY


def test_when_a_pause_is_over_the_host_may_be_asked(database):
    database.do(hold_back, "host", 0.05)
    until(lambda: not database.do(pause_of, "host"))
    assert database.do(may_ask, "host", "host", DELAY) == (0, 0)
    assert database.do(may_ask, "host", "host", 0) == (0, 0)
