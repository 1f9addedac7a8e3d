"""What a crawl lets out of itself: it listens to nobody, and tells no secret."""

import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from scrapy.settings import Settings

from metacrawl.database.connection import connect
from metacrawl.outcome import ConfigError, RefusedError
from metacrawl.secrets import check_command_line
from tests.postgres import PASSWORD


def listeners(process: int) -> set[str]:
    """Find the addresses that a process listens at."""
    sockets = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        name = str(file.readlink())
        if name.startswith("socket:["):
            sockets.add(name[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text("ascii").splitlines()[1:]:
            address, state, inode = (line.split()[number] for number in (1, 3, 9))
            if state == "0A" and inode in sockets:
                found.add(address)
    return found


@pytest.mark.parametrize(
    ("stock", "number"), [({}, 0), ({"TELNETCONSOLE_ENABLED": True, "REMOTE_CONTROL_ENABLED": True}, 2)], ids=str
)
def test_nothing_listens_during_a_crawl(hold, pages, stock, number):
    _, process = hold(2, pages, "movies", "-a", "movie=nightjar", **stock)
    assert len(listeners(process.pid)) == number


HOSTILE = {"ITEM_PIPELINES": json.dumps({"tests.crawl.planted.HostilePipeline": 150}), "DOWNLOAD_DELAY": 0}
CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
BEGINNING = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[[\w.]+\] [A-Z]+: ")


def test_an_event_is_a_line_whatever_a_page_says(scrapy, demo):
    run = scrapy("crawl", "movies", "-a", "movie=nightjar", METACRAWL_SITE_URL=demo.url, LOG_LEVEL="DEBUG", **HOSTILE)
    assert run.returncode == 70
    assert [line for line in (run.stdout + run.stderr).splitlines() if CODES.search(line)] == []
    assert run.stdout.count("\n") == 1
    # Before that, Scrapy tells of its parts.
    lines = run.stderr.partition("INFO: Spider opened\n")[2].splitlines()
    assert [line for line in lines if not BEGINNING.match(line) and not line.startswith("    ")] == []
    assert not [line for line in lines if BEGINNING.match(line) and "CRITICAL: forged" in line[:60]]
    says = r"A page says \x1b[2J\x9b31m\u202e\x07\r\n2026-01-01 00:00:00 [scrapy] CRITICAL: forged"
    assert [line for line in lines if line.endswith(f"WARNING: {says}")]
    assert "    Traceback (most recent call last):" in lines


def test_scrapys_own_log_lets_a_page_say_anything(scrapy, demo):
    stock = {"LOG_FORMATTER": "scrapy.logformatter.LogFormatter"}
    run = scrapy("crawl", "movies", "-a", "movie=nightjar", METACRAWL_SITE_URL=demo.url, **HOSTILE | stock)
    assert CODES.search(run.stderr)
    assert "2026-01-01 00:00:00 [scrapy] CRITICAL: forged" in run.stderr.splitlines()


CANARY = "canary-5f2c9d71b83e"
MAIL = {"METACRAWL_MAIL_TO": "to@example.org", "METACRAWL_MAIL_FROM": "from@example.org"}


@pytest.fixture
def secret(monkeypatch):
    """Secrets wherever one can stand; gives those that are settings of ours."""
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "TELNETCONSOLE_PASSWORD"):
        monkeypatch.setenv(name, CANARY)
    return MAIL | {
        "METACRAWL_WEBHOOK_URL": f"http://user:{CANARY}@127.0.0.1:1/{CANARY}?token={CANARY}",
        "METACRAWL_SMTP_URL": f"smtp://user:{CANARY}@127.0.0.1:1",
        "METACRAWL_AUTHORS": "pseudonym",
        "METACRAWL_AUTHORS_KEY": CANARY,
    }


def tables(url):
    """Read all that a database holds, as text."""
    engine = sa.create_engine(url)
    found = sa.MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        text = str([connection.execute(sa.select(table)).all() for table in found.tables.values()])
    engine.dispose()
    return text


def test_no_secret_is_told_anywhere(start, scrapy, serve, pages, postgresql_url, secret, tmp_path):
    """A run with everything set that can go wrong: a broken page, records that fail, nobody who takes word of it."""
    places = secret | {"METACRAWL_DATABASE_URL": postgresql_url}
    seen = []

    def look():
        seen.append(Path(f"/proc/{crawl.pid}/cmdline").read_bytes().decode())
        return b"<html>no page of the site's</html>"

    site = serve(pages | {"/movie/nightjar/details": look})
    given = ("crawl", "movies", "-a", "movie=nightjar", "--logfile", tmp_path / "log")
    pipelines = json.dumps({"tests.crawl.planted.HostilePipeline": 150})
    feed = ("-o", f"{tmp_path / 'feed.jsonl'}:jsonlines")
    settings = {"LOG_LEVEL": "DEBUG", "ITEM_PIPELINES": pipelines, "METACRAWL_SITE_URL": site.url}
    crawl = start(*given, *feed, **places | settings)
    stdout, stderr = crawl.communicate(timeout=60)
    assert crawl.returncode == 70, stdout
    export = scrapy("export", "--to", tmp_path / "out", "--format", "csv", "--partial", **places)
    status = scrapy("status", "--json", "1", **places)
    assert (export.returncode, status.returncode) == (0, 0), export.stderr + status.stderr
    told = {path.name: path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()}
    assert {"log", "feed.jsonl", "movies.csv"} <= told.keys()
    assert [name for name in told if name.endswith("-run-1.json")]
    assert "The webhook could not be told" in told["log"]
    assert "The mail server could not be told" in told["log"]
    told |= {"stdout": stdout, "stderr": stderr, "command line": str(seen), "tables": tables(postgresql_url)}
    told |= {"status": status.stdout + status.stderr, "export": export.stdout + export.stderr}
    assert seen
    for secret_text in (CANARY, PASSWORD):
        assert [name for name, text in told.items() if secret_text in text] == []


AWAY = f"postgresql+psycopg://reader:{CANARY}@127.0.0.1:1/films"


def test_a_database_that_is_away_is_told_without_its_password(scrapy):
    places = {"METACRAWL_SITE_URL": "http://127.0.0.1:1", "METACRAWL_DATABASE_URL": AWAY}
    run = scrapy("crawl", "movies", "-a", "movie=her", LOG_LEVEL="DEBUG", **places)
    assert run.returncode == 18, run.stderr
    assert "127.0.0.1:1/films" in run.stderr
    assert CANARY not in run.stdout + run.stderr


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://127.0.0.1:1/films?password={CANARY}",
        AWAY.replace(":1/", ":port/"),
        AWAY.replace("postgresql+psycopg", "postgres"),
        AWAY.replace("postgresql+psycopg://", ""),
    ],
    ids=["away", "no port", "no such database", "no URL"],
)
def test_what_is_wrong_with_a_database_is_told_without_its_password(url):
    with pytest.raises(RefusedError) as refused:
        connect(url)
    assert CANARY not in str(refused.value)


SECRETS = {
    "METACRAWL_DATABASE_URL": AWAY,
    "METACRAWL_SMTP_URL": f"smtps://user:{CANARY}@mail.example.org",
    "METACRAWL_WEBHOOK_URL": f"https://chat.example.org/{CANARY}",
    "METACRAWL_AUTHORS_KEY": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "TELNETCONSOLE_PASSWORD": CANARY,
    "FEEDS": {f"ftp://user:{CANARY}@files.example.org/her.jsonl": {"format": "jsonlines"}},
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_on_the_command_line_is_refused(name):
    settings = Settings({"METACRAWL_SITE_URL": "http://localhost"}, priority="cmdline")
    check_command_line(settings)
    settings.set(name, SECRETS[name], priority="project")
    check_command_line(settings)
    settings.set(name, SECRETS[name], priority="cmdline")
    with pytest.raises(ConfigError, match=f"{name} has a secret in it: set it in the environment") as refused:
        check_command_line(settings)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("command", [("crawl", "movies", "-a", "movie=her"), ("status",), ("export", "--to", "out")])
def test_each_command_refuses_it(scrapy, command):
    run = scrapy(*command, "-s", f"METACRAWL_DATABASE_URL={AWAY}")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("metacrawl: METACRAWL_DATABASE_URL has a secret in it: ")
    assert CANARY not in run.stderr
