"""`scrapy forget`: what it is given, what it finds outside the database, and what it says."""

import argparse
import gzip
import json
import os

import pytest
import sqlalchemy as sa
from scrapy.settings import Settings

from metacrawl.commands.forget import Command
from metacrawl.database import authors, records, runs
from metacrawl.database.connection import connect
from metacrawl.database.lock import lock
from metacrawl.database.schema import FRONTIER
from metacrawl.evidence import Evidence
from metacrawl.forget import Name, clean_records, remove_evidence
from metacrawl.frontier import queue
from metacrawl.items import UserReview

pytestmark = pytest.mark.measured

NAME = 'Zoë "C" & Sons/7f3a'
ELSE = "Somebody else"


@pytest.fixture
def filled(database_url):
    """A database with two reviews of a film."""
    engine = connect(database_url)
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
        authors.claim(connection, authors.Authors())
        reviews = [UserReview(key=f"her/{name}", movie_slug="her", author=name) for name in (NAME, ELSE)]
        records.save(connection, run, reviews)
    yield engine
    engine.dispose()


@pytest.fixture
def forget(database_url, tmp_path, capsys):
    """Run the command; gives its exit code and what it printed."""

    def run(*arguments, priority="project", **settings):
        command, parser = Command(), argparse.ArgumentParser()
        command.settings = Settings(
            {
                "METACRAWL_DATABASE_URL": database_url,
                "METACRAWL_RUNS": str(tmp_path / "runs"),
                "METACRAWL_EVIDENCE_DAYS": "30",
                "METACRAWL_AUTHORS": "keep",
                "METACRAWL_AUTHORS_KEY": "",
            }
        )
        command.settings.setdict(settings, priority=priority)
        command.add_options(parser)
        options, rest = parser.parse_known_args(map(str, arguments))
        try:
            command.run(rest, options)
        except SystemExit as end:
            return end.code, capsys.readouterr().err
        return 0, capsys.readouterr().out

    return run


def test_it_tells_what_was_removed(filled, forget, tmp_path):
    evidence = Evidence(tmp_path / "runs/evidence", 30)
    evidence.keep(1, "layout", f'<p title="">{NAME}'.encode())
    evidence.keep(2, "layout", ELSE.encode())
    assert forget("--author", NAME) == (0, "forgotten: 1 user review, 1 evidence page\n")
    assert forget("--author", NAME) == (0, "forgotten: nothing was left\n")
    assert len(list(evidence.folder.iterdir())) == 1


@pytest.mark.usefixtures("filled")
def test_who_is_not_there_is_named(forget):
    code, says = forget("--author", NAME.upper())
    assert code == 15
    assert says.startswith(f"metacrawl: there is nothing by the author {NAME.upper()} in ")


class TestWithoutADatabase:
    """Of what is refused before one is opened."""

    @pytest.fixture
    def database_url(self, sqlite_url):
        return sqlite_url

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "whom? for instance --author NAME"),
            (["--author", ""], "whom?"),
            (["--author", "Ann", "her"], "forget takes no her"),
            (["--author", "Ann\udcff"], r"--author Ann\udcff is no text"),
            (["--author", "Ann", "--dataset", "/nowhere"], "--dataset /nowhere: there is no dataset in it"),
        ],
    )
    def test_what_is_wrong_is_named(self, forget, arguments, says):
        code, told = forget(*arguments)
        assert code == 2
        assert says in told

    def test_none_is_made(self, forget, tmp_path):
        code, says = forget("--author", "Ann")
        assert code == 18
        assert "there is no database" in says
        assert not list(tmp_path.glob("metacrawl.db*"))

    def test_a_secret_on_the_command_line_is_refused(self, forget):
        code, says = forget("--author", "Ann", priority="cmdline", METACRAWL_AUTHORS_KEY="a key that is long enough")
        assert code == 2
        assert "METACRAWL_AUTHORS_KEY has a secret in it" in says
        assert "long enough" not in says


def test_another_policy_is_refused(filled, forget):
    code, says = forget("--author", NAME, METACRAWL_AUTHORS="drop", METACRAWL_AUTHORS_KEY="a key that is long enough")
    assert code == 2
    assert "was first crawled with METACRAWL_AUTHORS=keep" in says


def test_a_crawl_that_is_at_work_is_waited_for(filled, forget, tmp_path):
    kept = Evidence(tmp_path / "runs/evidence", 30).keep(1, "layout", NAME.encode())
    held = lock(filled.url)
    with filled.begin() as connection:
        worker = queue.Worker(runs.enlist(connection, 1), 1, 60)
        queue.add(connection, 1, [queue.Row("key", "https://x", "https://x", 0, "")])
        queue.lease(connection, worker, 1, alone=True)
    code, says = forget("--author", NAME)
    assert code == 3
    assert "is in use by" in says
    assert kept.exists()
    if held:
        held.release()
    with filled.begin() as connection:
        connection.execute(sa.delete(FRONTIER))
    assert forget("--author", NAME)[0] == 0


# --- Beside the database


@pytest.mark.parametrize(
    "page",
    [
        NAME,
        "Zoë &quot;C&quot; &amp; Sons/7f3a",
        "Zo&#235; &#34;C&#34; &#38; Sons&#x2f;7f3a",
        r"Zo\u00eb \"C\" \u0026 Sons\/7f3a",
        r"Zo\\u00EB \\\"C\\\" & Sons\\/7f3a",
        "/user/Zo%C3%AB%20%22C%22%20%26%20Sons%2F7f3a",
        "Zoë+%22C%22+%26+Sons%2F7f3a",
        "Zoë\n  &quot;C&quot;&nbsp;&amp;\tSons/7f3a",
        r"{&quot;by&quot;:&quot;Zo\u00eb \&quot;C\&quot; \u0026amp; Sons\/7f3a&quot;}",
    ],
)
def test_a_name_is_found_however_a_page_writes_it(tmp_path, page):
    evidence = Evidence(tmp_path, 30)
    evidence.keep(1, "layout", f"<p>{page}</p>".encode())
    evidence.keep(2, "layout", page.replace("7f3a", "7f3b").encode())
    assert remove_evidence(tmp_path, Name(NAME)) == 1
    assert [path.name[:5] for path in tmp_path.iterdir()] == ["run-2"]


def test_a_name_with_a_backslash_is_found_in_json(tmp_path):
    Evidence(tmp_path, 30).keep(1, "layout", json.dumps({"author": "Ann\\B"}).encode())
    assert remove_evidence(tmp_path, Name("Ann\\B")) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_name_is_found_in_any_encoding(tmp_path, encoding):
    Evidence(tmp_path, 30).keep(1, "layout", f"<p>{NAME} Zoë</p>".encode(encoding))
    assert remove_evidence(tmp_path, Name(NAME)) == 1


def test_a_page_that_cannot_be_read_is_removed(tmp_path):
    (tmp_path / "cut.html.gz").write_bytes(gzip.compress(os.urandom(1000))[:-100])
    (tmp_path / "none.html.gz").write_bytes(b"half a page")
    assert remove_evidence(tmp_path, Name(NAME)) == 2


def test_records_of_runs_are_written_again_without_the_name(tmp_path):
    told = {"message": f"partial: {NAME}", "problems": {"partial": {"number": 1, "first": [NAME, ELSE]}}}
    account = {"run": 1, "started_at": "2026-01-01T12:00:00Z", "arguments": {"movie": "her"}, **told}
    (tmp_path / "20260101T120000Z-run-1.json").write_text(json.dumps(account), encoding="utf-8")
    other = tmp_path / "20260101T120000Z-run-2.json"
    other.write_text(json.dumps(account | {"run": 2, "message": ELSE, "problems": {}}), encoding="utf-8")
    before = other.stat()
    (tmp_path / "20260101T120000Z-run-3.123.tmp").write_text(NAME, encoding="utf-8")
    assert clean_records(tmp_path, Name(NAME)) == 1
    assert sorted(path.name[-10:] for path in tmp_path.iterdir()) == ["run-1.json", "run-2.json"]
    cleaned = json.loads((tmp_path / "20260101T120000Z-run-1.json").read_text(encoding="utf-8"))
    assert cleaned["message"] == "partial: [forgotten]"
    assert cleaned["problems"]["partial"]["first"] == ["[forgotten]", ELSE]
    assert cleaned["arguments"] == {"movie": "her"}
    assert other.stat() == before


def test_a_record_under_another_name_is_written_again_there(tmp_path):
    path = tmp_path / "copy-run-1.json"
    account = {"run": 1, "started_at": "2026-01-01T12:00:00Z", "message": NAME}
    path.write_text(json.dumps(account), encoding="utf-8")
    assert clean_records(tmp_path, Name(NAME)) == 1
    assert list(tmp_path.iterdir()) == [path]
    assert NAME not in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("filled")
def test_a_record_that_cannot_be_read_is_named_and_nobody_is_forgotten(forget, tmp_path):
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs/20260101T120000Z-run-1.json"
    path.write_bytes(b"half\xff")
    code, says = forget("--author", NAME)
    assert (code, says) == (2, f"metacrawl: {path} is no record of a run: look what is in it, and move it away\n")
    path.unlink()
    assert forget("--author", NAME) == (0, "forgotten: 1 user review\n")


def test_a_name_that_is_also_a_films_is_taken_out_of_messages_alone():
    told = {"arguments": {"movie": "her"}, "message": "https://x/movie/her: HTTP 500; other heroes"}
    assert Name("her").removed_from(told, told=False) == {
        "arguments": {"movie": "her"},
        "message": "https://x/movie/[forgotten]: HTTP 500; other heroes",
    }
