"""The schedule file: what it may say, and that all else is named in one line."""

import datetime as dt

import pytest
from scrapy.utils.project import get_project_settings

from metacrawl.outcome import ConfigError
from metacrawl.schedule.file import read_schedule
from metacrawl.schedule.model import Step

NIGHT = """
timezone = "Europe/Berlin"

[night]
when = "30 2 * * *"
run = [
    "crawl movies -a browse=new -a limit=200",
    "export --to 'my data' --format parquet",
    "report --to report.html",
]

[weekly-sweep]
when = "0 4 * * sun"
run = ["crawl user_reviews -a movie=her -a update=full"]
"""


@pytest.fixture
def read(tmp_path):
    """Read a schedule file with this text, and give its jobs."""

    def jobs(text):
        path = tmp_path / "schedule.toml"
        path.write_text(text, encoding="utf-8")
        return read_schedule(path, get_project_settings())

    return jobs


def job(when='"30 2 * * *"', run='["report"]', more=""):
    return f"[night]\nwhen = {when}\nrun = {run}\n{more}"


def test_jobs_are_read(read):
    night, weekly = read(NIGHT)
    assert (night.name, night.when) == ("night", "30 2 * * * Europe/Berlin")
    assert night.steps[0] == Step(("crawl", "movies", "-a", "browse=new", "-a", "limit=200"))
    assert [step.command for step in night.steps[1:]] == [
        "scrapy export --to 'my data' --format parquet",
        "scrapy report --to report.html",
    ]
    assert [step.is_crawl for step in night.steps] == [True, False, False]
    monday = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    assert night.due_after(monday) == dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
    assert weekly.due_after(monday) == dt.datetime(2026, 11, 29, 3, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no job, such as [night]"),
        ("night", "Expected '=' after a key"),
        ("timezone = 'Europe/Bonn'\n" + job(), "timezone: Europe/Bonn is no time zone such as Europe/Berlin"),
        ("timezone = '../Berlin'\n" + job(), "timezone: ../Berlin is no time zone"),
        ("timezone = 1\n" + job(), "timezone: 1 is no time zone"),
        ("time_zone = 'UTC'\n" + job(), "time_zone: this is no job"),
        ("[Night]\nwhen = '0 2 * * *'", "Night: a job's name is up to 40 small letters"),
        (f"[{'n' * 41}]", "a job's name is up to 40 small letters"),
        (job(more="whenn = 1"), "night: unknown key whenn: did you mean when?"),
        (job(more="timezone = 'UTC'"), "night: unknown key timezone; there are when, run"),
        ("[night]\nrun = ['report']", "night: when must be minute, hour, day, month and weekday"),
        (job("'@daily'"), "night: when must be minute, hour"),
        (job("30"), "night: when must be minute, hour"),
        (job("'61 2 * * *'"), "night: when = \"61 2 * * *\": Error validating expression '61'"),
        (job("'x 2 * * *'"), 'night: when = "x 2 * * *": Unrecognized expression "x" for field "minute"'),
        (job("'0 2 * * 1'"), 'night: when = "0 2 * * 1": weekdays by name, such as sun or mon-fri'),
        (job("'0 2 1 * sun'"), 'night: when = "0 2 1 * sun": either a day of the month or a weekday'),
        (job("'0 2 30 feb *'"), 'night: when = "0 2 30 feb *" is never'),
        ("[night]\nwhen = '0 2 * * *'", "night: run must be a list of commands"),
        (job(run="'report'"), "night: run must be a list of commands"),
        (job(run="[]"), "night: run must be a list of commands"),
        (job(run="[1]"), "night: run must be a list of commands"),
        (job(run="['']"), 'night: "": no step ; there are crawl, export, report'),
        (job(run="['scrapy report']"), 'night: "scrapy report": no step scrapy; there are crawl, export, report'),
        (job(run="['exprot --to x']"), "no step exprot: did you mean export?"),
        (job(run="['shell']"), "no step shell"),
        (job(run="""['report --to "x']"""), 'night: "report --to "x": No closing quotation'),
        (job(run="['crawl']"), "a crawl takes a spider and its arguments"),
        (job(run="['crawl movies -a']"), "a crawl takes a spider and its arguments"),
        (job(run="['crawl movies -a her']"), "a crawl takes a spider and its arguments"),
        (job(run="['crawl movies -s LOG_LEVEL=DEBUG']"), "each as -a NAME=VALUE, and nothing else"),
        (job(run="['crawl movies -O out.jsonl']"), "each as -a NAME=VALUE, and nothing else"),
        (job(run="['crawl films -a movie=her']"), "no spider films; there are critic_reviews, movies"),
        (job(run="['crawl movie -a movie=her']"), "no spider movie: did you mean movies?"),
        (job(run="['crawl movies -a movi=her']"), "unknown argument movi=her: did you mean movie?"),
        (job(run="['crawl movies -a movie=her -a limit=0']"), "limit=0 is no number of films"),
        (job(run="['crawl movies -a movie=her -a _job=1']"), "_job= is not for people to give"),
        (job(run="['export --format parquet']"), 'night: "export --format parquet": where to?'),
        (job(run="['export --too x']"), "export takes no --too"),
        (job(run="['export --to']"), "expected one argument"),
        (job(run="['report -h']"), "report takes no -h"),
    ],
)
def test_what_is_wrong_is_named(read, text, says):
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert says in str(raised.value)
    assert "schedule.toml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"METACRAWL_SCHEDULE=.*nowhere.toml cannot be read: No such file"):
        read_schedule(tmp_path / "nowhere.toml", get_project_settings())


@pytest.mark.parametrize(
    ("before", "due"),
    [
        # Clocks go forward from two to three: the job comes at the same time after the night before, at 03:30.
        ("2026-03-27T12:00Z", ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]),
        # They go back from three to two: there are two half past twos, and the job comes at both.
        ("2026-10-23T12:00Z", ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-26T01:30Z"]),
    ],
)
def test_a_night_on_which_clocks_change(read, before, due):
    night = read(NIGHT)[0]
    found = [night.due_after(dt.datetime.fromisoformat(before))]
    while len(found) < len(due):
        found.append(night.due_after(found[-1]))
    assert found == [dt.datetime.fromisoformat(time) for time in due]
