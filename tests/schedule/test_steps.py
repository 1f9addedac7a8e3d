"""Steps: processes, how they ended, and crawls that are begun again."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from scrapy.settings import Settings

from metacrawl.outcome import Outcome
from metacrawl.schedule import alert as alerts
from metacrawl.schedule import steps
from metacrawl.schedule.alert import alert, outcome_of
from metacrawl.schedule.file import read_when
from metacrawl.schedule.model import Job, Result, Step, StoppedError
from metacrawl.schedule.steps import CHUNK, TOLD, Steps, pass_on, result_of
from tests.crawl.waiting import wait_for

DUE_AT = dt.datetime(2026, 11, 23, 2, 30, tzinfo=dt.UTC)
CRAWL, EXPORT, REPORT = Step(("crawl", "movies")), Step(("export", "--to", "x")), Step(("report",))
JOB = Job("night", *read_when("30 2 * * *", ZoneInfo("UTC")), (CRAWL, EXPORT, REPORT))
GOOD, BAD = Result(Outcome.COMPLETE, "1 film"), Result(Outcome.LAYOUT, "changed")
CRASHED = Result(Outcome.INTERNAL, "killed by signal 9", crashed=True)


def doing(*results, url=""):
    """Steps that end like this, one after the other, and the commands that were run."""
    made, run, left = Steps(Settings({"METACRAWL_SCRAPYD_URL": url})), [], list(results)

    def end(words):
        run.append(" ".join(words))
        result = left.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    made.run = end
    return made, run


def test_each_step_is_done_whatever_became_of_the_one_before():
    made, run = doing(BAD, OSError("no memory"), GOOD)
    results = list(made.of(JOB, DUE_AT))
    assert run == ["crawl movies -a _job=night-20261123T023000Z-1-1", "export --to x", "report"]
    assert results == [(CRAWL, BAD), (EXPORT, Result(Outcome.INTERNAL, "OSError: no memory")), (REPORT, GOOD)]
    assert outcome_of([(step.command, result) for step, result in results]) == (
        Outcome.LAYOUT,
        "scrapy crawl movies: changed",
    )
    assert outcome_of([("scrapy report", GOOD)]) == (Outcome.COMPLETE, "")


@pytest.mark.parametrize(
    ("results", "attempts", "last"),
    [([GOOD], 1, GOOD), ([BAD], 1, BAD), ([CRASHED, GOOD], 2, GOOD), ([CRASHED] * 4, 3, CRASHED)],
)
def test_a_crawl_that_does_not_say_how_it_ended_is_begun_again(results, attempts, last):
    made, run = doing(*results)
    assert made.do(CRAWL, "night-1") == last
    assert run == [f"crawl movies -a _job=night-1-{number}" for number in range(1, attempts + 1)]


def test_nothing_else_is():
    made, run = doing(CRASHED, CRASHED)
    assert made.do(REPORT, "night-1") == CRASHED
    assert run == ["report"]


def test_a_crawl_is_scrapyds_where_there_is_one(monkeypatch):
    asked = []
    monkeypatch.setattr(steps.scrapyd, "crawl", lambda *given: asked.append(given[1:3]) or GOOD)
    made, run = doing(GOOD, url="http://127.0.0.1:6800")
    assert made.do(CRAWL, "night-1") == GOOD
    assert made.do(REPORT, "night-2") == GOOD
    assert [(crawl.spider, crawl.arguments, job_id) for crawl, job_id in asked] == [("movies", {}, "night-1-1")]
    assert run == ["report"]


def test_a_process_is_another_scrapy(capfdbinary):
    """With the settings that the scheduler was given."""
    found = Steps(Settings(), ["BOT_NAME=demo"]).run(["settings", "--get", "BOT_NAME"])
    assert found == Result(Outcome.COMPLETE, "demo")
    assert capfdbinary.readouterr().err == b"demo\n"


@pytest.mark.parametrize("stopped", [True, False])
def test_one_that_runs_ends_with_the_scheduler(monkeypatch, stopped):
    """It is told to; it gets no signal of its own from a terminal, as those of one group do."""
    real = subprocess.Popen
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(subprocess, "Popen", lambda _, **options: real(waits, **options))
    made, results = Steps(Settings()), []
    thread = threading.Thread(target=lambda: results.append(made.run(["version"])))
    thread.start()
    wait_for(lambda: bool(made.processes))
    [process] = made.processes
    assert os.getpgid(process.pid) == process.pid
    if stopped:
        made.stop()
        assert process.wait(timeout=10) == -signal.SIGTERM
        with pytest.raises(StoppedError):
            made.run(["version"])
    else:
        assert process.poll() is None
    process.kill()
    thread.join()
    assert results[0].crashed
    assert made.processes == set()


def test_only_the_end_of_what_a_process_says_is_kept(capfdbinary):
    table = "│ movies.jsonl │\n└──────┘\n"
    output = b"first\n" + b"x" * (3 * CHUNK) + b"\n\x1b[31m\nmetacrawl: so\xff it is \x07\n" + table.encode()
    said = pass_on(BytesIO(output))
    assert said == "metacrawl: so\ufffd it is \\x07"
    assert capfdbinary.readouterr().err == output
    assert len(pass_on(BytesIO(b"x" * CHUNK))) == TOLD


@pytest.mark.parametrize(
    ("code", "said", "result"),
    [
        (0, "complete: 1 film", Result(Outcome.COMPLETE, "1 film")),
        (10, "partial: 1 film", Result(Outcome.PARTIAL, "1 film")),
        (143, "interrupted: 1 film", Result(Outcome.TERMINATED, "1 film")),
        (3, "metacrawl: it is in use", Result(Outcome.LOCKED, "it is in use")),
        (1, "ZeroDivisionError", Result(Outcome.INTERNAL, "exit code 1; ZeroDivisionError", crashed=True)),
        (-9, "", CRASHED),
    ],
)
def test_how_a_process_ended(code, said, result):
    assert result_of(code, said) == result


def test_word_of_a_job_has_all_of_its_steps(monkeypatch):
    told = []
    monkeypatch.setattr(alerts, "tell", lambda _, *what: told.append(what))
    results = [("scrapy crawl movies", BAD), ("scrapy report", Result(Outcome.COMPLETE, "<!channel>"))]
    alert(Settings(), "night", DUE_AT, results)
    [(content, subject, text)] = told
    assert subject == "metacrawl: job night ended as layout"
    assert content == {
        "text": f"{subject}; scrapy crawl movies: changed",
        "job": {"name": "night", "due_at": "2026-11-23T02:30:00Z", "outcome": "layout"},
        "steps": [
            {
                "command": "scrapy crawl movies",
                "outcome": "layout",
                "message": "changed",
                "runbook": "docs/runbook.md#outcome-layout",
            },
            {"command": "scrapy report", "outcome": "complete", "message": "<!channel>"},
        ],
    }
    assert text == (
        "metacrawl: job night ended as layout, due at 2026-11-23T02:30:00Z\n\n"
        "scrapy crawl movies\n  layout: changed\n  docs/runbook.md#outcome-layout\n"
        "scrapy report\n  complete: <!channel>\n"
    )
