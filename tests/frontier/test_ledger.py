"""A worker from its first request to its last, on a real database."""

import asyncio
import time
from collections import Counter
from contextlib import suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from metacrawl.database import runs
from metacrawl.frontier.page import page_of
from metacrawl.outcome import Outcome, Problem
from tests.frontier.parts import SITE, away, name_of, review, row
from tests.frontier.work import LONG, Work, follow, run, true


def test_every_page_is_read_once_whatever_leads_to_it(database):
    leads = {"a": "cd", "b": "ad", "c": "bef", "f": "g"}
    work = Work(database)

    async def crawl():
        await work.seed("a", "b")
        await work.work(lambda page: follow(page, *leads.get(name_of(page.request.url), "")))
        await work.ledger.close()

    run(crawl())
    assert sorted(work.read) == list("abcdefg")
    assert database.states() == dict.fromkeys("abcdefg", "done")
    assert (work.counts["known"], work.ledger.pages, work.failures) == (3, 7, [])


def test_a_worker_holds_no_more_than_it_can(database):
    work = Work(database, capacity=3)

    async def crawl():
        await work.seed(*"abcde")
        first, *_ = await work.take(3)
        before = list(database.states().values()).count("leased")
        await work.ledger.commit(first)
        await anext(work.coming)
        after = Counter(database.states().values())
        await work.ledger.close()
        return before, after

    assert run(crawl()) == (3, {"leased": 3, "done": 1, "queued": 1})


def test_a_page_on_hold_takes_no_room_and_is_let_go_when_nothing_else_is_left(database):
    work = Work(database, capacity=1)
    states = []

    def let_go():
        states.append(database.states())
        for page in list(work.ledger.on_hold.values()):
            work.ledger.finish(page)

    async def crawl():
        await work.seed(*"abc")
        [first] = await work.take(1)
        follow(first, "d")
        work.ledger.hold(first, let_go)
        async for request in work.coming:
            work.read.append(name_of(request.url))
            await work.ledger.commit(page_of(request))
        await work.ledger.close()

    run(crawl())
    assert work.read == ["b", "c", "d"]
    assert states == [{"a": "leased", "b": "done", "c": "done"}]
    assert set(database.states().values()) == {"done"}


def test_pages_on_hold_are_given_back_when_the_crawl_is_stopped(database):
    work = Work(database)

    async def crawl():
        await work.seed("a", "b")
        first, _ = await work.take(2)
        work.ledger.hold(first, lambda: None)
        await work.ledger.close()

    run(crawl())
    assert database.states() == {"a": "queued", "b": "queued"}


def test_many_requests_to_start_from_are_all_there_before_the_run_is_said_to_be_seeded(database, monkeypatch):
    monkeypatch.setattr("metacrawl.frontier.ledger.SEEDS", 4)
    work = Work(database)

    async def broken():
        for number in range(10):
            yield row(f"{number}")
        raise RuntimeError

    async def crawl():
        with suppress(RuntimeError):
            await work.ledger.seed(broken())
        return database.do(runs.seeded, database.run), len(database.states())

    seeded, before = run(crawl())
    assert (seeded, before) == (False, 8), "two batches, and the rest is lost: the next process starts from all again"
    run(work.seed(*map(str, range(10))))
    assert database.do(runs.seeded, database.run)
    assert len(database.states()) == 10


def test_pages_that_end_soon_after_each_other_share_a_transaction(database, monkeypatch):
    """The first one waits for the others, and no longer when all are there."""
    monkeypatch.setattr("metacrawl.frontier.ledger.LINGER", LONG)
    work = Work(database, capacity=5)
    commits, number = [], []

    async def crawl():
        await work.seed(*"abcde")
        first, *others = await work.take(5)
        sa.event.listen(database.engine, "commit", commits.append)
        waiting = [asyncio.create_task(work.ledger.commit(first))]
        for page in others:
            await true(lambda: len(work.ledger.done) == len(waiting))
            waiting.append(asyncio.create_task(work.ledger.commit(page)))
        await asyncio.gather(*waiting)
        number.append(len(commits))
        await work.ledger.close()

    run(crawl())
    assert number == [1]
    assert set(database.states().values()) == {"done"}


def test_a_page_is_stored_when_its_commit_returns(database):
    work = Work(database)

    async def crawl():
        await work.seed("a", "b")
        first, _ = await work.take(2)
        first.records.append(review("Ann"))
        await work.ledger.commit(first)
        found = database.authors(), database.states()
        await work.ledger.close()
        return found

    assert run(crawl()) == (["Ann"], {"a": "done", "b": "leased"})


def test_a_page_that_cannot_be_stored_is_given_up_and_named_and_the_others_are_stored(database):
    work = Work(database, capacity=5)

    def bring(page):
        name = name_of(page.request.url)
        page.records.append(review(name, total_votes=2**70 if name == "c" else None))
        page.note(Problem(Outcome.PARTIAL, name))
        follow(page, f"{name}/details")

    async def crawl():
        await work.seed(*"abcde")
        pages = await work.take(5)
        for page in pages:
            bring(page)
        await asyncio.gather(*map(work.ledger.commit, pages))
        await work.ledger.close()

    run(crawl())
    assert database.authors() == list("abde")
    ends = dict.fromkeys("abde", "done") | {"c": "dead"}
    assert database.states() == ends | {f"{name}/details": "queued" for name in "abde"}
    [message] = database.problems()["INTERNAL"]
    assert message.startswith(f"{SITE}c: ")
    assert (work.counts["new"], work.counts["discarded"], work.failures) == (4, 1, [])


def test_a_worker_waits_for_what_another_one_holds_and_goes_on_with_what_comes_of_it(database, second, monkeypatch):
    monkeypatch.setattr("metacrawl.frontier.ledger.POLL", 0.01)
    database.add("a")
    database.do(runs.set_seeded, database.run)
    other = second.worker()
    [page] = second.pages(other)
    follow(page, "b")
    work = Work(database)

    async def crawl():
        working = asyncio.create_task(work.work())
        await true(lambda: work.turns > 3)
        assert not working.done()
        second.turn(other, page)
        await working
        await work.ledger.close()

    run(crawl())
    assert work.read == ["b"]
    assert set(database.states().values()) == {"done"}


def test_a_worker_waits_until_all_seeds_are_in(database, monkeypatch):
    monkeypatch.setattr("metacrawl.frontier.ledger.POLL", 0.01)
    work = Work(database)

    async def crawl():
        working = asyncio.create_task(work.work())
        await true(lambda: work.turns > 3)
        assert not working.done()
        await work.seed("a")
        await working
        await work.ledger.close()

    run(crawl())
    assert work.read == ["a"]


def test_a_request_under_suspicion_is_at_work_alone(database):
    database.add("a", "b")
    database.crash(times=2)
    database.add("c", "d")
    work = Work(database, capacity=5)
    together = []

    async def crawl():
        await work.seed()
        async for request in work.ledger.requests():
            together.append({name_of(page.request.url) for page in work.ledger.held.values()})
            await work.ledger.commit(page_of(request))
        await work.ledger.close()

    run(crawl())
    assert together[0] == {"c", "d"}
    assert together[2:] == [{"a"}, {"b"}]


def test_beside_a_request_under_suspicion_nothing_is_taken(database, monkeypatch):
    monkeypatch.setattr("metacrawl.frontier.ledger.POLL", 0.01)
    database.add("a")
    database.crash(times=2)
    work = Work(database, lease=0.3)

    async def crawl():
        await work.seed()
        [suspect] = await work.take(1)
        database.add("b")
        looks = work.turns + 3
        await true(lambda: work.turns > looks)
        found = database.states()
        await work.ledger.commit(suspect)
        await anext(work.coming)
        await work.ledger.close()
        return found

    assert run(crawl()) == {"a": "leased", "b": "queued"}


def test_what_is_not_done_is_given_back_at_the_end_and_what_is_done_is_stored(database):
    work = Work(database, capacity=3)

    async def crawl():
        await work.seed(*"abcd")
        first, *_ = await work.take(3)
        first.records.append(review("Ann"))
        committing = asyncio.create_task(work.ledger.commit(first))
        await asyncio.sleep(0)
        await work.ledger.close()
        await committing

    run(crawl())
    assert database.authors() == ["Ann"]
    assert database.states() == {"a": "done", "b": "queued", "c": "queued", "d": "queued"}
    assert {leased.crashes for leased in database.lease(database.worker())} == {0}


def test_a_page_that_ends_after_the_end_is_not_waited_for(database):
    work = Work(database)

    async def crawl():
        await work.seed("a")
        [page] = await work.take(1)
        await work.ledger.close()
        page.records.append(review("Ann"))
        await work.ledger.commit(page)

    run(crawl())
    assert database.authors() == []
    assert database.states() == {"a": "queued"}


def test_a_database_that_is_gone_is_told_once_and_nobody_waits_for_ever(database):
    work = Work(database, capacity=3)

    async def crawl():
        await work.seed("a", "b", "c", "d")
        first, second, _ = await work.take(3)
        with away(database.engine):
            await asyncio.gather(work.ledger.commit(first), work.ledger.commit(second))
            with pytest.raises(StopAsyncIteration):
                await anext(work.coming)
            await work.ledger.commit(second)
            await work.ledger.close()

    run(crawl())
    [failure] = work.failures
    assert isinstance(failure, OperationalError)
    assert database.states() == {"a": "leased", "b": "leased", "c": "leased", "d": "queued"}
    database.reclaim(database.worker())
    assert set(database.states().values()) == {"queued"}, "nothing is lost"


def test_a_database_that_comes_back_is_gone_on_with(database):
    work = Work(database, seconds=LONG)
    found = []

    async def crawl():
        await work.seed("a", "b")
        first, second = await work.take(2)
        with away(database.engine):
            committing = asyncio.gather(work.ledger.commit(first), work.ledger.commit(second))
            await true(lambda: work.ledger.database.unsure)
            found.append(committing.done())
        await committing
        await work.ledger.close()

    run(crawl())
    assert (found, work.failures) == ([False], [])
    assert set(database.states().values()) == {"done"}


def test_a_page_that_takes_long_stays_its_workers(database, second, monkeypatch):
    monkeypatch.setattr("metacrawl.frontier.ledger.POLL", 0.01)
    lease = 0.3
    work, other = Work(database, lease=lease), second.worker()

    async def crawl():
        await work.seed("a")
        [page] = await work.take(1)
        end = time.monotonic() + 2 * lease
        await true(lambda: second.turn(other, room=1, reclaim=True).leased or time.monotonic() > end)
        await work.ledger.commit(page)
        await work.ledger.close()

    run(crawl())
    assert (database.states(), work.counts["late"]) == ({"a": "done"}, 0)
