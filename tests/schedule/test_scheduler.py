"""What is done when, with steps that the test lets end."""

import datetime as dt
import logging
import os
import signal
import threading
from zoneinfo import ZoneInfo

import pytest
from scrapy.settings import Settings
from sqlalchemy.exc import OperationalError

from metacrawl.database import schedule
from metacrawl.database.connection import connect
from metacrawl.database.rows import now
from metacrawl.outcome import LockedError, Outcome
from metacrawl.schedule import jobs
from metacrawl.schedule.file import read_when
from metacrawl.schedule.jobs import Jobs
from metacrawl.schedule.model import Job, Result, Step, StoppedError
from metacrawl.schedule.scheduler import SIGNALS, Scheduler, left_over, once
from tests.crawl.waiting import wait_for

# Due in half a day, whatever the clock says now.
LATER = (now() + dt.timedelta(hours=12)).strftime("%M %H * * *")
HOUR = dt.timedelta(hours=1)


JOB = Job("night", *read_when(LATER, ZoneInfo("UTC")), (Step(("report",)),))
BROKEN = Result(Outcome.LAYOUT, "the page has changed")


class HeldJobs(Jobs):
    """Jobs whose one step ends as the test says, when it says so."""

    def __init__(self, engine):
        super().__init__(Settings({"METACRAWL_DATABASE_TIMEOUT": 0}), engine)
        self.began: list[dt.datetime] = []
        self.may_end = threading.Event()
        self.result = Result(Outcome.COMPLETE, "1 film")
        self.steps.of = self.of

    def of(self, job, due_at):
        self.began.append(due_at)
        self.may_end.wait(timeout=30)
        if self.steps.stopping.is_set():
            raise StoppedError
        yield job.steps[0], self.result


BACKENDS = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine(request):
    """A database, on SQLite unless the test says otherwise."""
    engine = connect(request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url"))
    yield engine
    engine.dispose()


@pytest.fixture
def told(monkeypatch):
    """Who would be told what."""
    told = []
    monkeypatch.setattr(jobs, "alert", lambda _settings, name, _due_at, results: told.append((name, results)))
    monkeypatch.setattr(jobs, "PAUSE", 0.01)
    return told


@pytest.fixture
def start(engine, told):
    """Start a scheduler of one job, as `scrapy schedule` does."""
    started = []

    def run(job=JOB):
        started.append(Scheduler([job], HeldJobs(engine)))
        started[-1].start()
        return started[-1]

    yield run
    for scheduler in started:
        scheduler.doing.stop()
        scheduler.doing.may_end.set()
        if scheduler.scheduler.running:
            scheduler.scheduler.shutdown()


def row(engine):
    with engine.connect() as connection:
        return schedule.rows(connection).get("night")


def has_ended(engine):
    found = row(engine)
    return found is not None and found["finished_at"] is not None


def write(engine, **known):
    with engine.begin() as connection:
        schedule.save(connection, "night", {"cron": LATER, **known})


def fire(scheduler):
    """Have the job be due now."""
    scheduler.due["night"] = now()
    scheduler.scheduler.modify_job("night", next_run_time=now())


@BACKENDS
def test_a_job_that_is_due_is_done(engine, start, told):
    scheduler = start()
    wait_for(lambda: row(engine) is not None)
    assert row(engine)["next_at"] == JOB.due_after(now())
    fire(scheduler)
    scheduler.doing.may_end.set()
    wait_for(lambda: has_ended(engine))
    assert (row(engine)["outcome"], row(engine)["message"]) == ("complete", "")
    assert row(engine)["due_at"] == scheduler.doing.began[0]
    assert told == []


def test_somebody_is_told_of_one_that_does_not_end_well(engine, start, told):
    scheduler = start()
    scheduler.doing.result = BROKEN
    scheduler.doing.may_end.set()
    fire(scheduler)
    wait_for(lambda: has_ended(engine))
    assert (row(engine)["outcome"], row(engine)["message"]) == ("layout", "scrapy report: the page has changed")
    assert told == [("night", [("scrapy report", BROKEN)])]


@pytest.mark.parametrize(("instances", "locked", "begun"), [(1, True, 1), (1, False, 1), (2, True, 1), (2, False, 2)])
def test_one_that_is_still_being_done_is_left_out(start, monkeypatch, caplog, instances, locked, begun):
    """By the library, and by a lock for what other processes do; without either the job is done twice at once."""
    if not locked:
        monkeypatch.setattr(jobs, "alone", lambda *_: None)
    scheduler = start()
    scheduler.scheduler.modify_job("night", max_instances=instances)
    fire(scheduler)
    wait_for(lambda: len(scheduler.doing.began) == 1)
    with caplog.at_level(logging.WARNING):
        fire(scheduler)
        wait_for(lambda: len(scheduler.doing.began) == 2 or "left out this time" in caplog.text)
    assert len(scheduler.doing.began) == begun
    assert scheduler.due["night"] == JOB.due_after(now())


def test_a_clock_that_is_set_back_does_not_make_it_due_for_the_same_time_again(engine, start):
    """The next time would have the ids of the last, and would be taken for done."""
    scheduler = start()
    due_at = JOB.due_after(now())
    scheduler.scheduler.modify_job("night", next_run_time=now())
    wait_for(lambda: scheduler.doing.began == [due_at])
    assert row(engine)["next_at"] == scheduler.due["night"] == JOB.due_after(due_at)


@BACKENDS
def test_one_that_was_missed_is_done_once(engine, start):
    missed = now() - 72 * HOUR
    write(engine, next_at=missed)
    first = start()
    wait_for(lambda: first.doing.began == [missed])
    first.doing.may_end.set()
    wait_for(lambda: has_ended(engine))
    first.scheduler.shutdown()
    assert row(engine)["next_at"] == JOB.due_after(now())
    second = start()
    second.scheduler.shutdown()
    assert (first.doing.began, second.doing.began) == ([missed], [])


def test_a_scheduler_without_a_memory_misses_it(engine, start, monkeypatch):
    """As the library's own would: what it plans is gone with its process."""
    write(engine, next_at=now() - 72 * HOUR)
    monkeypatch.setattr("metacrawl.schedule.scheduler.left_over", lambda *_: None)
    scheduler = start()
    scheduler.scheduler.shutdown()
    assert scheduler.doing.began == []


def test_one_that_was_left_out_is_not_caught_up(engine, start, caplog):
    scheduler = start()
    fire(scheduler)
    wait_for(lambda: len(scheduler.doing.began) == 1)
    fire(scheduler)
    wait_for(lambda: "left out this time" in caplog.text)
    scheduler.doing.may_end.set()
    scheduler.scheduler.shutdown()
    assert row(engine)["finished_at"]
    assert left_over(JOB, row(engine)) is None


def test_one_that_was_cut_short_is_done_again_for_the_same_time(engine, start, told):
    scheduler = start()
    fire(scheduler)
    wait_for(lambda: len(scheduler.doing.began) == 1)
    scheduler.doing.stop()
    scheduler.doing.may_end.set()
    scheduler.scheduler.shutdown()
    assert schedule.is_unfinished(row(engine))
    again = start()
    again.doing.may_end.set()
    wait_for(lambda: has_ended(engine))
    assert again.doing.began == scheduler.doing.began
    assert told == []


def test_what_is_to_be_done_at_the_start_depends_on_what_was_noted():
    past, later = now() - HOUR, JOB.due_after(now())
    begun = {"started_at": past, "finished_at": None, "due_at": past - HOUR}
    ended = begun | {"finished_at": past}
    never = {"started_at": None, "finished_at": None, "due_at": None}
    assert left_over(JOB, None) is None
    assert left_over(JOB, {"cron": LATER, "next_at": past, **never}) == past
    assert left_over(JOB, {"cron": LATER, "next_at": past, **ended}) == past
    assert left_over(JOB, {"cron": LATER, "next_at": later, **ended}) is None
    assert left_over(JOB, {"cron": LATER, "next_at": None, **ended}) is None
    assert left_over(JOB, {"cron": LATER, "next_at": later, **begun}) == past - HOUR
    # Nobody has missed what the file did not ask for.
    assert left_over(JOB, {"cron": "0 0 * * *", "next_at": past, **ended}) is None
    assert left_over(JOB, {"cron": "0 0 * * *", "next_at": past, **begun}) == past - HOUR


def test_a_job_that_the_file_has_no_more_is_forgotten(engine, start):
    with engine.begin() as connection:
        schedule.plan(connection, "old", "0 2 * * *", now())
    start()
    with engine.connect() as connection:
        assert "old" not in schedule.rows(connection)


def test_a_database_that_is_away_is_told_once_and_waited_for(engine, start, told, monkeypatch, caplog):
    begin, tries = schedule.begin, []

    def away(*given):
        tries.append(given)
        if len(tries) <= 5:
            raise OperationalError("", {}, Exception("connection refused"))
        begin(*given)

    monkeypatch.setattr(schedule, "begin", away)
    scheduler = start()
    fire(scheduler)
    scheduler.doing.may_end.set()
    wait_for(lambda: has_ended(engine))
    [(name, [(_, result)])] = told
    assert (name, result.outcome) == ("night", Outcome.DATABASE)
    assert result.message == "the job waits for the database: connection refused"
    assert len(tries) == 6
    assert caplog.text.count("waits for the database") == 1


def test_a_scheduler_that_is_to_stop_does_not_wait_for_it(start, monkeypatch):
    def away(*_):
        raise OperationalError("", {}, Exception("connection refused"))

    scheduler = start()
    monkeypatch.setattr(schedule, "begin", away)
    fire(scheduler)
    scheduler.doing.stop()
    scheduler.scheduler.shutdown()
    assert scheduler.doing.began == []


@BACKENDS
def test_what_is_due_next_is_noted_when_the_database_is_back(engine, start, monkeypatch, caplog):
    def away(*_):
        raise OperationalError("", {}, Exception("connection refused"))

    with monkeypatch.context() as patch:
        patch.setattr(schedule, "plan", away)
        scheduler = start()
        wait_for(lambda: "The schedule cannot be noted: connection refused" in caplog.text)
    assert row(engine) is None
    scheduler.keep()
    assert row(engine)["next_at"] == JOB.due_after(now())


def test_a_job_is_done_at_once_by_hand(engine, told):
    doing = HeldJobs(engine)
    doing.may_end.set()
    assert once(JOB, doing) is Outcome.COMPLETE
    found = row(engine)
    assert (found["outcome"], found["next_at"]) == ("complete", None)
    doing.result = BROKEN
    assert once(JOB, doing) is Outcome.LAYOUT
    assert len(told) == 1


def test_by_hand_one_that_was_not_finished_is_gone_on_with(engine, told):
    doing = HeldJobs(engine)
    doing.may_end.set()
    due_at = now() - HOUR
    write(engine, due_at=due_at, started_at=due_at)
    once(JOB, doing)
    assert doing.began == [due_at]


@BACKENDS
def test_by_hand_a_job_that_is_being_done_is_refused(engine, start):
    scheduler = start()
    fire(scheduler)
    wait_for(lambda: len(scheduler.doing.began) == 1)
    other = HeldJobs(engine)
    with pytest.raises(LockedError, match="job-night"):
        once(JOB, other)
    assert other.began == []


@pytest.mark.parametrize(("minutes", "late"), [(4, False), (6, True)])
def test_a_job_that_should_have_begun_shows_that_no_scheduler_runs(engine, minutes, late):
    write(engine, next_at=now() - dt.timedelta(minutes=minutes))
    with engine.connect() as connection:
        [found] = schedule.accounts(connection)
    assert found["late"] is late


@pytest.fixture
def _signals():
    """The handlers of this process, put back."""
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("second", SIGNALS, ids=lambda number: number.name)
def test_a_second_signal_does_not_break_into_the_end(engine, told, monkeypatch, second):
    jobs = HeldJobs(engine)
    keeper = Scheduler([JOB], jobs)
    monkeypatch.setattr(jobs, "stop", lambda: os.kill(os.getpid(), second))
    monkeypatch.setattr(keeper, "start", lambda: os.kill(os.getpid(), signal.SIGTERM))
    keeper.run()
