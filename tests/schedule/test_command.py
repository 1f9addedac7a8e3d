"""`scrapy schedule --check` and `--run`, and what `scrapy status` shows of the schedule."""

import datetime as dt
import json
import subprocess
import sys

import pytest

from metacrawl.database import schedule
from metacrawl.database.connection import connect
from metacrawl.database.rows import now
from metacrawl.outcome import Outcome

FILE = """
[night]
when = "30 2 * * *"
run = ["report --to /"]
"""


@pytest.fixture
def command(scrapy, tmp_path):
    """`scrapy schedule` with a schedule file."""
    file = tmp_path / "schedule.toml"
    file.write_text(FILE, encoding="utf-8")
    return lambda *arguments, **settings: scrapy("schedule", *arguments, **{"METACRAWL_SCHEDULE": file, **settings})


@pytest.fixture
def write(sqlite_url):
    """Note something of the job in the test's database."""
    engine = connect(sqlite_url)

    def note(**known):
        with engine.begin() as connection:
            schedule.save(connection, "night", {"cron": "30 2 * * *", **known})

    yield note
    engine.dispose()


def test_check_shows_the_jobs_of_a_file_that_nobody_has_run_yet(command):
    run = command("--check")
    assert (run.returncode, run.stderr) == (0, "")
    [line] = [line for line in run.stdout.splitlines() if "30 2 * * *" in line]
    assert line.split()[0] == "night"
    assert line.rstrip().endswith(" 02:30")


def test_check_fails_where_a_job_should_have_begun(command, write):
    late = now() - dt.timedelta(hours=1)
    write(next_at=late)
    run = command("--check")
    assert run.returncode == Outcome.STALLED.value
    assert run.stderr == f"metacrawl: no scheduler is running: night was due at {late:%Y-%m-%dT%H:%M:%SZ}\n"
    assert "the scheduler does not run" in run.stdout


def test_status_shows_the_last_time_and_the_next(scrapy, write):
    began = dt.datetime(2026, 11, 23, 2, 30, tzinfo=dt.UTC)
    next_at = now() + dt.timedelta(days=1)
    ended = {"finished_at": began + dt.timedelta(minutes=12), "outcome": "partial", "message": "crawl: 1 page failed"}
    write(next_at=next_at, due_at=began, started_at=began, **ended)
    [line] = [line for line in scrapy("status").stdout.splitlines() if "night" in line]
    last = ["11-23", "02:30", "0:12:00", "partial"]
    assert line.split() == ["night", "30", "2", "*", "*", "*", *last, *f"{next_at:%m-%d %H:%M}".split()]
    [found] = json.loads(scrapy("status", "--json").stdout)["schedule"]
    assert (found["job"], found["message"], found["late"]) == ("night", "crawl: 1 page failed", False)
    assert found["due_at"] == "2026-11-23T02:30:00Z"


def test_a_job_is_done_by_hand_with_its_outcome(command, scrapy):
    run = command("--run", "night")
    assert run.returncode == Outcome.CONFIG.value
    assert "Job night: scrapy report --to / ended as config: --to / is a folder" in run.stderr
    [found] = json.loads(scrapy("status", "--json").stdout)["schedule"]
    assert (found["outcome"], found["next_at"], found["late"]) == ("config", None, False)
    assert found["message"] == "scrapy report --to /: --to / is a folder: name a file, for instance --to report.html"


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (["--run", "day"], {}, "there is no job day; there are night"),
        (["--run", "night", "--check"], {}, "--run does a job, --check does none"),
        (["night"], {}, "schedule takes no night"),
        (
            ["--check"],
            {"METACRAWL_SCHEDULE": "nowhere.toml"},
            "METACRAWL_SCHEDULE=nowhere.toml cannot be read: No such",
        ),
        (["--check"], {"METACRAWL_SCRAPYD_URL": "ftp://x"}, "METACRAWL_SCRAPYD_URL is no URL with http or https"),
        (["--check"], {"METACRAWL_WEBHOOK_URL": "x"}, "METACRAWL_WEBHOOK_URL is no URL with http or https"),
        (["--check"], {"METACRAWL_DATABASE_TIMEOUT": "x"}, "METACRAWL_DATABASE_TIMEOUT=x is no number of seconds"),
        (["--check"], {"SCRAPYD_PASSWORD": "hush"}, "SCRAPYD_PASSWORD has a secret in it: set it in the environment"),
    ],
)
def test_what_a_person_gives_wrong_is_named_in_one_line(command, arguments, settings, says):
    run = command(*arguments, **settings)
    assert (run.returncode, run.stdout) == (2, "")
    assert says in run.stderr
    assert "hush" not in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_password_in_the_address_of_scrapyd_is_refused_on_the_command_line(command):
    run = command("--check", "-s", "METACRAWL_SCRAPYD_URL=http://me:hush@127.0.0.1:6800")
    assert run.returncode == 2
    assert "METACRAWL_SCRAPYD_URL has a secret in it" in run.stderr
    assert "hush" not in run.stderr


def test_no_other_command_waits_for_the_library():
    """Scrapy imports the modules of all commands for each."""
    code = "import sys; from metacrawl.commands import schedule, work; print('apscheduler' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
