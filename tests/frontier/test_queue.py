"""Requests as rows: each is given to one worker at a time, and what is left by a dead one comes back."""

import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from metacrawl.database import runs
from metacrawl.database.schema import FRONTIER
from metacrawl.frontier import queue
from metacrawl.outcome import Outcome, Problem
from tests.frontier.parts import SHORT, SITE, Database, name_of, names, row, until

# SQLite has one transaction at a time.
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

# --- What is queued


def test_what_is_added_again_is_known(database):
    assert database.add("a", "b") == {"a", "b"}
    assert database.add("b", "c", "c") == {"c"}
    assert database.add() == set()
    assert database.states() == dict.fromkeys("abc", "queued")


def test_a_request_that_is_done_stays_known(database, worker):
    database.add("a")
    [leased] = database.lease(worker)
    database.do(queue.settle, worker, [leased.id], "done")
    assert database.add("a") == set()
    assert database.lease(worker) == []


def test_another_run_has_requests_of_its_own(database, worker):
    database.add("a")
    assert Database(database.engine, database.run + 1).add("a") == {"a"}
    assert len(database.lease(worker)) == 1


def test_the_most_urgent_come_first_and_then_the_oldest(database, worker):
    for name, priority in {"c": 0, "b": -1, "a": 0, "e": 5, "d": 5}.items():
        database.add(name, priority=priority)
    assert names(database.lease(worker, 2)) == ["e", "d"]
    assert names(database.lease(worker)) == ["c", "a", "b"]


def test_what_is_leased_says_what_it_is(database, worker):
    database.do(queue.add, database.run, [row("a", 7, kind="movie")])
    [leased] = database.lease(worker)
    assert (leased.asked_for, leased.priority, leased.crashes) == (f"{SITE}asked-for", 7, 0)
    assert leased.request == row("a", 7, kind="movie").request


# --- Leases


def test_a_lease_is_one_workers_alone(database, second, worker):
    database.add("a", "b", "c")
    assert names(database.lease(worker, 2)) == ["a", "b"]
    assert names(second.lease(second.worker())) == ["c"]
    assert database.lease(worker) == []


@ON_POSTGRESQL
def test_two_transactions_at_once_do_not_wait_for_each_other(database, second):
    """What is being leased is passed over."""
    database.add("a", "b", "c")
    one, other = database.worker(), database.worker()
    with database.engine.begin() as first, second.engine.begin() as later:
        later.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
        assert names(queue.lease(first, one, 2, alone=True)) == ["a", "b"]
        assert names(queue.lease(later, other, 2, alone=True)) == ["c"]


def test_workers_at_once_get_no_request_twice(database, second):
    """Each in a thread with a connection of its own."""
    database.add(*(f"{number:03}" for number in range(200)))
    got, failures = [], []
    start = threading.Barrier(4)

    def work():
        try:
            worker = second.worker()
            start.wait(timeout=10)
            while ids := [leased.id for leased in second.lease(worker, 3)]:
                got.extend(ids)
                second.do(queue.settle, worker, ids, "done")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert (len(got), set(Counter(got).values())) == (200, {1})


def test_a_lease_that_was_lost_is_not_settled(database, worker):
    database.add("a", "b", "c")
    leased = {name_of(one.url): one.id for one in database.lease(worker)}
    other = database.worker()
    database.reclaim(other)
    database.lease(other, 2)
    database.lease(worker, 1)
    assert database.do(queue.settle, worker, list(leased.values()), "done") == {leased["c"]}
    assert database.states() == {"a": "leased", "b": "leased", "c": "done"}
    assert database.do(queue.settle, worker, [leased["c"]], "done") == set()
    assert database.do(queue.settle, worker, [], "done") == set()


@pytest.mark.parametrize(("state", "kept"), [("done", False), ("dead", True)])
def test_what_is_done_is_kept_in_mind_and_what_failed_with_what_it_asked_for(database, worker, state, kept):
    database.add("a")
    [leased] = database.lease(worker)
    assert database.do(queue.settled_before, worker, [leased.id]) == set()
    database.do(queue.settle, worker, [leased.id], state)
    assert database.do(queue.settled_before, worker, [leased.id]) == {leased.id}
    assert database.do(queue.settled_before, database.worker(), [leased.id]) == set()
    asked = database.do(lambda connection: connection.execute(sa.select(FRONTIER.c.request)).scalar())
    assert (asked is not None) == kept


def test_what_failed_is_queued_again_and_its_problem_forgotten_but_not_what_kills(database, worker):
    database.add("a", "b", "c")
    leased = database.lease(worker, 3)
    for number, request in enumerate(leased):
        problem = [Problem(Outcome.SITE_DOWN, f"problem {number}")]
        database.do(
            lambda connection, request=request, problem=problem: runs.note(
                connection, worker.run, problem, page=request.id
            )
        )
    database.do(queue.settle, worker, [leased[0].id], "done")
    database.do(queue.settle, worker, [leased[1].id, leased[2].id], "dead")
    database.do(
        lambda connection: connection.execute(
            sa.update(FRONTIER).where(FRONTIER.c.id == leased[2].id).values(crashes=queue.POISON)
        )
    )
    assert database.do(queue.retry, worker.run) == 1
    assert database.states() == {"a": "done", "b": "queued", "c": "dead"}
    assert database.do(runs.problems, worker.run).told == {Outcome.SITE_DOWN: ["problem 0", "problem 2"]}


def test_what_is_given_back_is_there_for_others_and_not_held_against_it(database, worker):
    database.add("a", "b", "c")
    other = database.worker()
    [kept] = database.lease(worker, 1)
    database.lease(worker, 1)
    database.lease(other, 1)
    database.do(queue.give_back, worker, keep=[kept.id])
    assert database.states() == {"a": "leased", "b": "queued", "c": "leased"}
    [again] = database.lease(other)
    assert (name_of(again.url), again.crashes) == ("b", 0)


# --- What dead workers leave


def test_a_lease_that_is_over_goes_to_another_worker(database, second):
    database.add("a")
    [first] = database.lease(database.worker(lease=SHORT))
    other = second.worker()
    assert second.lease(other) == []
    [again] = until(lambda: second.reclaim(other, everything=False) or second.lease(other))
    assert (again.id, again.crashes) == (first.id, 1)


def test_a_lease_that_holds_is_left_alone(database, worker):
    database.add("a", "b")
    lasting = database.lease(database.worker(), 1)
    database.lease(database.worker(lease=SHORT))
    until(lambda: database.reclaim(worker, everything=False) or database.states()["b"] == "queued")
    assert names(lasting) == ["a"]
    assert database.states()["a"] == "leased"


def test_whoever_is_alone_takes_everything_but_its_own(database, worker):
    database.add("a", "b")
    database.lease(worker, 1)
    database.lease(database.worker(), 1)
    assert database.reclaim(worker) == []
    assert database.states() == {"a": "leased", "b": "queued"}


def test_a_lease_is_kept_by_the_ids_that_are_held(database):
    """A request that its worker has lost sight of must come back, whatever else it still holds."""
    database.add("held", "lost")
    worker, other = database.worker(lease=SHORT), database.worker()
    [held, _] = database.lease(worker)

    # For longer, so that a slow machine does not lose it, too.
    database.do(queue.renew, replace(worker, lease=60), [held.id])
    until(lambda: database.reclaim(other, everything=False) or database.states()["lost"] == "queued")
    assert database.states()["held"] == "leased"


def test_a_lease_that_was_lost_is_not_renewed(database, worker):
    database.add("a")
    [lost] = database.lease(worker)
    other = database.worker(lease=SHORT)
    database.reclaim(other)
    database.lease(other)
    database.do(queue.renew, worker, [lost.id])
    third = database.worker()
    until(lambda: database.reclaim(third, everything=False) or database.states()["a"] == "queued")


def test_a_lease_is_timed_by_the_databases_clock(database, worker, monkeypatch):
    """Machines disagree about the time; and a transaction may take long, which its own time does not."""
    monkeypatch.setattr(time, "time", lambda: 10.0**10)
    database.add("a", "b")
    database.lease(database.worker(), 1)
    assert database.reclaim(worker, everything=False) == []
    assert database.states()["a"] == "leased"
    dying = database.worker(lease=SHORT)
    with database.engine.begin() as connection:
        [last] = queue.lease(connection, dying, 1, alone=True)
        until(
            lambda: (
                queue.reclaim(connection, worker, everything=False)
                or [one.id for one in queue.lease(connection, worker, 1, alone=True)] == [last.id]
            )
        )


def test_a_request_that_has_ended_its_process_three_times_is_set_aside_and_named(database):
    database.add("poison")
    assert database.crash(times=2) == []
    assert database.states() == {"poison": "queued"}
    assert database.crash() == ["poison"]
    assert database.states() == {"poison": "dead"}
    assert database.crash() == []


def test_a_request_under_suspicion_is_taken_alone_and_last(database, worker):
    database.add("suspect", "other suspect")
    database.crash(times=2)
    database.add("innocent")
    assert names(database.lease(worker, alone=True)) == ["innocent"]
    assert database.lease(worker, alone=False) == []
    assert names(database.lease(worker, alone=True)) == ["suspect"]


@ON_POSTGRESQL
def test_a_worker_that_is_settling_is_not_waited_for(database, second):
    """Its lease is over, but it has come back just in time."""
    database.add("a", "b")
    worker = database.worker(lease=SHORT)
    settled, _ = database.lease(worker)
    with database.engine.begin() as connection:
        assert queue.settle(connection, worker, [settled.id], "done") == {settled.id}
        until(lambda: second.reclaim(second.worker(), everything=False) or second.states()["b"] == "queued", 5)
        assert second.states()["a"] == "leased"
    assert second.states()["a"] == "done"


# --- How much is left


def test_what_is_queued_or_leased_is_left(database, worker):
    assert database.do(queue.left, database.run) == 0
    database.add("a", "b", "c", "d")
    one, other, _ = database.lease(worker, 3)
    database.do(queue.settle, worker, [one.id], "done")
    database.do(queue.settle, worker, [other.id], "dead")
    assert database.do(queue.left, database.run) == 2
    assert database.do(queue.left, database.run + 1) == 0


def test_what_was_asked_for_is_done_when_all_that_it_led_to_is(database, worker):
    leads = {"her": "her", "her/details": "her", "him": "him", "it": "it"}
    rows = [queue.Row(name, SITE + name, asked_for, 0, row(name).request) for name, asked_for in leads.items()]
    database.do(queue.add, database.run, rows)
    leased = {name_of(one.url): one.id for one in database.lease(worker)}

    def asked_for():
        return [database.do(queue.asked_for, database.run, still=still) for still in (False, True)]

    assert asked_for() == [3, 3]
    database.do(queue.settle, worker, [leased["her"]], "done")
    database.do(queue.settle, worker, [leased["him"]], "dead")
    assert asked_for() == [3, 2]
    database.do(queue.settle, worker, [leased["her/details"]], "done")
    assert asked_for() == [3, 1]
