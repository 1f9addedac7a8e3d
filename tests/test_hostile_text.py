"""What a site says is shown to people as it is, and reaches nothing but the place where it is shown."""

import datetime as dt
import io
import logging
import sys
from collections import Counter

import pytest
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from metacrawl import diff, notify, status
from metacrawl.commands.export import print_files
from metacrawl.log import SafeLines
from tests.database.parts import a_list

MARKUP = "[bold]one[/bold] [link=http://127.0.0.1/]two[/link] [/nothing] [red]three"
EDIT = {"seen_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "key": "her/a", "field": "text", "old": "1", "new": "2"}


def shown(part):
    """Show it as on a wide terminal."""
    file = io.StringIO()
    Console(file=file, force_terminal=True, width=500, highlight=False).print(part)
    return file.getvalue()


@pytest.mark.parametrize(
    "part",
    [
        status.show_lists([a_list(1, MARKUP, "short", missing=1)]),
        status.show_problems({"layout": {"number": 1, "first": [MARKUP]}}),
        status.text(status.asked_for({"spider": "movies", "arguments": {"movie": MARKUP}})),
        diff.show_films({MARKUP: Counter(new=1)}),
        diff.show_changes([EDIT | {"key": MARKUP}]),
        diff.show_changes([EDIT | {"old": MARKUP}]),
        diff.show_changes([EDIT | {"new": MARKUP}]),
    ],
    ids=["lists", "problems", "arguments", "films", "record", "was", "is"],
)
def test_markup_in_what_status_shows_is_text(part):
    assert MARKUP in shown(part)


def test_as_a_string_it_would_be_markup():
    table = Table("film")
    table.add_row(MARKUP.replace("[/nothing]", ""))
    assert "[bold]" not in shown(table)


def test_markup_in_a_files_name_is_text(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    file = tmp_path / MARKUP.replace("/", "|")
    file.touch()
    print_files({file: 1})
    assert file.name in capsys.readouterr().out


def test_markup_in_a_log_line_above_the_progress_bar_is_text():
    file = io.StringIO()
    with Progress(console=Console(file=file, force_terminal=True, width=500)):
        sys.stderr.write(f"{MARKUP}\n")
    assert MARKUP in file.getvalue()


class Mean:
    def __str__(self):
        raise RuntimeError("no text")


def test_whoever_logs_what_has_no_text_does_not_fail(capsys):
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "%s\x1b[31m", (Mean(),), None)
    handler = logging.StreamHandler()
    handler.addFilter(SafeLines())
    handler.handle(record)
    told = capsys.readouterr().err
    assert "RuntimeError: no text" in told
    assert "\x1b" not in told


def test_a_message_of_several_lines_and_a_traceback_are_indented():
    error = ValueError("one\n2026-01-01 two\x1b")
    raised = type(error), error, None
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "a\n%s", ("b\r\nc\rd\u2028e",), raised)
    SafeLines().filter(record)
    first, *others = logging.Formatter().format(record).split("\n")
    assert first == "a"
    assert others[:2] == ["    b", r"    c\rd\u2028e"]
    assert others[-2:] == ["    ValueError: one", r"    2026-01-01 two\x1b"]
    assert all(line.startswith("    ") for line in others)


def test_an_e_mail_has_what_a_site_says_in_its_text_alone():
    said = "x\r\nBcc: other@example.org\r\n\r\n<b>hello</b>\u2028.\r\n.\r\nMAIL FROM:<other@example.org>"
    account = {"run": 7, "spider": "movies", "outcome": "layout", "message": said}
    letter = notify.letter("ops@example.org", "metacrawl@example.org", *notify.in_words(account, {"outcome": said}))
    names = ["To", "From", "Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    assert letter.keys() == names
    assert letter["Subject"] == "metacrawl: run 7 (movies) ended as layout"
    assert letter["To"] == "ops@example.org"
    assert letter.get_content_type() == "text/plain"
    assert "Bcc: other@example.org" in letter.get_content()
