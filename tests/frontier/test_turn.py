"""One transaction: a page's end, its records, what it leads to and what was wrong with it, or nothing of all that."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from scrapy import Request

from metacrawl.database import runs
from metacrawl.database.schema import FRONTIER
from metacrawl.frontier.page import page_of
from metacrawl.frontier.payload import encode
from metacrawl.outcome import Outcome, Problem
from tests.frontier.parts import SHORT, SITE, name_of, review, until

PARTIAL = Problem(Outcome.PARTIAL, "a review without an author")
ASTRAY = Problem(Outcome.LAYOUT, "redirected here from a page of another kind")


def follow(page, *names, **given):
    for name in names:
        page.follow(Request(SITE + name, **given), name)


def bring(page, author="Ann", *, leads_to=("b",)):
    """Have a page bring something of each kind."""
    page.records.append(review(author))
    follow(page, *leads_to)
    page.note(PARTIAL)


@pytest.fixture
def page(database, worker):
    database.add("a")
    [page] = database.pages(worker)
    return page


def test_a_page_is_stored_with_all_that_came_of_it(database, worker, page):
    bring(page)
    counts = database.turn(worker, page).counts
    assert database.states() == {"a": "done", "b": "queued"}
    assert database.authors() == ["Ann"]
    assert database.problems() == {"PARTIAL": [PARTIAL.message]}
    assert +counts == {"new": 1, "met/user_reviews": 1}


@pytest.mark.parametrize(
    "table", ["UPDATE frontier", "INSERT INTO user_reviews", "INSERT INTO frontier", "INSERT INTO problems", "COMMIT"]
)
def test_a_page_of_which_a_part_cannot_be_stored_brings_nothing(database, worker, page, table):
    bring(page)

    def fail(*given):
        if table == "COMMIT" or given[2].startswith(table):
            raise RuntimeError(table)

    event = "commit" if table == "COMMIT" else "before_cursor_execute"
    sa.event.listen(database.engine, event, fail)
    with pytest.raises(RuntimeError, match=table):
        database.turn(worker, page)
    sa.event.remove(database.engine, event, fail)
    assert database.empty()
    database.turn(worker, page)
    assert database.authors() == ["Ann"]
    assert database.states() == {"a": "done", "b": "queued"}


def test_what_is_next_is_leased_in_the_transaction_of_what_is_done(database, worker, page):
    follow(page, "b", "c")
    turn = database.turn(worker, page, room=5)
    assert [name_of(next_.request.url) for next_ in turn.leased] == ["b", "c"]
    assert {next_.asked_for for next_ in turn.leased} == {page.asked_for}
    assert database.turn(worker, held=[next_.id for next_ in turn.leased], room=5).leased == []


# --- Pages that were lost to another worker


def test_a_page_that_another_worker_has_taken_over_brings_nothing(database, second, page, worker):
    bring(page)
    other = second.worker()
    second.reclaim(other)
    [taken] = second.pages(other)
    counts = database.turn(worker, page).counts
    assert database.empty()
    assert (counts["late"], counts["discarded"], counts["new"]) == (1, 1, 0)
    bring(taken, "Bob")
    second.turn(other, taken)
    assert database.turn(worker, page).counts["late"] == 1
    assert database.authors() == ["Bob"]
    assert database.problems() == {"PARTIAL": [PARTIAL.message]}


def test_a_page_in_time_is_stored_beside_one_that_is_late(database, worker):
    database.add("in time", "late")
    in_time, late = database.pages(worker)
    bring(in_time, "Ann", leads_to=("a",))
    bring(late, "Bob", leads_to=("b",))
    database.reclaim(database.worker())
    database.pages(worker, 1)
    counts = database.turn(worker, late, in_time).counts
    assert (counts["late"], counts["new"], counts["discarded"]) == (1, 1, 1)
    assert database.authors() == ["Ann"]
    assert database.states() == {"in time": "done", "late": "queued", "a": "queued"}


def test_a_dead_page_that_was_lost_is_not_ended(database, worker, page):
    page.fail(PARTIAL)
    database.reclaim(database.worker())
    database.turn(worker, page)
    assert database.states() == {"a": "queued"}
    assert database.problems() == {}


def test_a_turn_takes_over_what_is_expired_and_keeps_what_is_held(database, worker):
    dying = database.worker(lease=SHORT)
    database.add("held", "lost")
    [held, _] = database.pages(dying)
    other = database.worker()

    # For longer, so that a slow machine does not lose it, too.
    database.turn(replace(dying, lease=60), held=[held.id], renew=True)
    [lost] = until(lambda: database.turn(other, room=5, reclaim=True).leased)
    assert name_of(lost.request.url) == "lost"
    assert database.states() == {"held": "leased", "lost": "leased"}


def test_a_turn_names_what_its_workers_have_died_of(database):
    database.add("poison")
    database.crash(times=2)
    dying, worker = database.worker(lease=SHORT), database.worker()
    database.lease(dying, alone=True)
    until(lambda: database.turn(worker, reclaim=True) and database.problems())
    [message] = database.problems()["PARTIAL"]
    assert message.startswith(f"{SITE}poison: poison: ")
    assert database.states() == {"poison": "dead"}


def test_a_request_under_suspicion_is_marked_and_given_only_to_who_holds_nothing(database, worker):
    database.add("a")
    database.crash(times=2)
    database.add("held")
    [held] = database.pages(worker)
    assert not held.suspect
    assert database.turn(worker, held=[held.id], room=5).leased == []
    [suspect] = database.turn(worker, held, room=5).leased
    assert (name_of(suspect.request.url), suspect.suspect) == ("a", True)


# --- Answers that were lost


def test_a_turn_that_was_done_without_an_answer_does_nothing_the_second_time(database, worker, page):
    bring(page)
    database.turn(worker, page, room=5)
    counts = database.turn(worker, page, unsure=True).counts
    assert (counts["late"], counts["new"], counts["discarded"]) == (0, 0, 0)
    assert database.authors() == ["Ann"]
    assert database.problems() == {"PARTIAL": [PARTIAL.message]}
    assert database.states() == {"a": "done", "b": "queued"}, "what it had leased, nobody knows of"


def test_what_was_leased_without_an_answer_is_leased_again(database, worker):
    database.add("a", "held")
    [held] = database.pages(worker, 1)
    database.turn(worker, held=[held.id], room=1)
    turn = database.turn(worker, unsure=True, held=[held.id], room=1)
    assert [name_of(page.request.url) for page in turn.leased] == ["held"]


# --- What a page leads to


def test_what_is_known_is_not_added(database, worker, page):
    database.add("b")
    follow(page, "a", "b", "c", "c")
    assert database.turn(worker, page).counts["known"] == 3
    assert database.states() == {"a": "done", "b": "queued", "c": "queued"}


def test_what_is_not_to_be_filtered_is_added_each_time_and_no_more_when_the_page_is_read_again(database, worker, page):
    for _ in range(2):
        follow(page, "a", dont_filter=True, priority=3)
    keys = [row.key for row in page.follow_ups]
    page.follow_ups.clear()
    for _ in range(2):
        follow(page, "a", dont_filter=True, priority=3)
    assert [row.key for row in page.follow_ups] == keys
    assert database.turn(worker, page).counts["known"] == 0
    again = database.pages(worker)
    assert [(one.request.url, one.request.priority) for one in again] == [(f"{SITE}a", 3)] * 2


# --- Pages that are given up


def test_what_stands_in_for_a_dead_page_is_queued_with_its_end(database, worker, page):
    follow(page, "b")
    page.fail(ASTRAY)
    follow(page, "c")
    database.turn(worker, page)
    assert [one.request.url for one in database.pages(worker)] == [f"{SITE}c"]
    assert database.problems() == {"LAYOUT": [ASTRAY.message]}


def test_a_dead_page_stores_nothing_but_its_problems(database, worker, page):
    bring(page)
    page.fail(Problem(Outcome.INTERNAL, "RuntimeError"))
    counts = database.turn(worker, page).counts
    assert database.states() == {"a": "dead"}
    assert database.authors() == []
    assert database.problems() == {"PARTIAL": [PARTIAL.message], "INTERNAL": ["RuntimeError"]}
    assert (counts["new"], counts["discarded"]) == (0, 1)


def test_a_request_that_nobody_can_read_is_set_aside_and_named(database, worker):
    """As a metacrawl of another version may have written it."""
    database.add("a", "b")
    database.do(
        lambda connection: connection.execute(
            sa.update(FRONTIER).where(FRONTIER.c.key == "a").values(request='{"url": 1}')
        )
    )
    turn = database.turn(worker, room=5)
    assert [name_of(page.request.url) for page in turn.leased] == ["b"]
    assert database.states() == {"a": "dead", "b": "leased"}
    [message] = database.problems()["INTERNAL"]
    assert message.startswith(f"{SITE}a: ")


# --- The end


def test_a_run_is_over_when_all_seeds_are_in_and_nothing_is_left(database, worker, page):
    other = database.worker()
    assert not database.turn(other, room=5).over, "another worker is at it"
    assert not database.turn(worker, page, room=5).over, "there may be more to start from"
    database.do(runs.set_seeded, database.run)
    assert database.turn(worker, room=5).over


def test_a_run_is_not_over_while_another_worker_holds_something(database, worker, page):
    database.do(runs.set_seeded, database.run)
    assert not database.turn(database.worker(), room=5).over
    assert not database.turn(worker, held=[page.id], room=5).over
    assert not database.turn(worker, held=[page.id]).over
    assert database.turn(worker, page, room=5).over


def test_what_one_worker_has_queued_another_leases_as_it_is(database, second, worker, page):
    page.follow(Request(f"{SITE}b", meta={"kind": "details"}, body=b"\xff", flags=["x"]), "b")
    database.turn(worker, page)
    [b] = second.turn(second.worker(), room=5).leased
    assert page_of(b.request) is b
    assert encode(b.request) == page.follow_ups[0].request


def test_a_run_that_is_over_takes_nothing_in(database, worker, page):
    """Such as one that was given up for a fresh run while this worker was at work on it."""
    bring(page)
    database.do(runs.finish, database.run, Outcome.INTERRUPTED, "given up")
    turn = database.turn(worker, page, room=5)
    assert (turn.over, turn.leased, turn.counts["late"]) == (True, [], 1)
    assert (database.states(), database.authors()) == ({}, [])
