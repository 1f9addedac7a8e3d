"""The turns that workers take at a host."""

import threading

import pytest
import sqlalchemy as sa

from metacrawl.database.schema import HOSTS
from metacrawl.frontier.hosts import claim
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
