"""The monitors of a run, each by an account that it passes and one that it does not; and who is told."""

import email
import json
import logging
import re
import socket
import socketserver
import threading
from contextlib import contextmanager
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from scrapy.settings import Settings
from spidermon import MonitorRunner

from metacrawl import monitors, notify
from metacrawl.notify import check, reasons
from metacrawl.outcome import ConfigError, Outcome

RUNBOOK = Path(__file__).parent.parent / "docs/runbook.md"
FIELDS = {"2016/movie/Movie": {"of": 100, "filled": {"title": 100, "tagline": 40}}}


def account(**changes):
    """An account that no monitor minds."""
    return {
        "run": 7,
        "spider": "movies",
        "outcome": "complete",
        "exit_code": 0,
        "message": "100 films",
        "requests": {"failed": 0, "queued": 0, "at_work": 0},
        "records": {"movies": 100, "critic_reviews": 2000, "user_reviews": 3000},
        "pages": {"2016/movie": 100, "2016/user-reviews": 100},
        "responses": {"200": 200, "404": 1},
        "retries": {"timeout": 2},
        "fields": FIELDS,
        "completeness": {"stored": 5000, "missing": 0, "wanting": []},
    } | changes


def watched(now, *earlier, settings=None):
    """Give what the monitors say of an account, by the names of those that fail."""
    suite = monitors.make_suite(settings or Settings())
    return reasons(MonitorRunner().run(suite, account=now, earlier=list(earlier)))


def test_a_run_that_is_well_passes_with_and_without_others_before_it():
    assert watched(account()) == {}
    assert watched(account(), account(), account()) == {}


@pytest.mark.parametrize(
    ("monitor", "changes", "says"),
    [
        ("outcome", {"outcome": "partial", "message": "1 page"}, "it ended as partial: 1 page"),
        (
            "completeness",
            {"completeness": {"stored": 4900, "missing": 100}},
            "100 of 5,000 reviews that the site has are missing (2.0%; 0.5% may be)",
        ),
        ("errors", {"requests": {"failed": 20}}, "20 of 220 pages failed (9.1%; 2.0% may be)"),
        ("retries", {"retries": {"timeout": 50}}, "50 of 201 requests were retries (24.9%; 10.0% may be)"),
        (
            "coverage",
            {"fields": {"2016/movie/Movie": {"of": 100, "filled": {"title": 100}}}},
            "fields that fewer records have than before: 2016/movie/Movie/tagline 0%, before 40%",
        ),
        (
            "records-per-page",
            {"pages": {"2016/movie": 600}},
            "8.5 records a page, where the last complete runs had 25.5",
        ),
        (
            "amount",
            {"records": {"movies": 80, "critic_reviews": 2000, "user_reviews": 3000}},
            "80 movies, where the last complete runs had 100",
        ),
    ],
)
def test_each_fails_alone_and_says_why(monitor, changes, says):
    assert watched(account(**changes), account(), account()) == {monitor: says}


@pytest.mark.parametrize(
    "changes",
    [
        {"completeness": {"stored": 4980, "missing": 20}},
        {"completeness": {"stored": 56, "missing": 448}, "arguments": {"source": "files", "path": "saved"}},
        {"requests": {"failed": 4}},
        {"retries": {"timeout": 20}},
        {"fields": {"2016/movie/Movie": {"of": 100, "filled": {"title": 95, "tagline": 31}}}},
        {"fields": {"2016/movie/Movie": {"of": 49, "filled": {}}}},
        {"fields": {}},
        {"records": {"movies": 91, "critic_reviews": 1900, "user_reviews": 2800}},
        {"records": {"movies": 0, "critic_reviews": 0, "user_reviews": 0}, "left_out": {"not_due": 100, "spared": 0}},
        {"pages": {"2016/movie": 600}, "left_out": {"not_due": 0, "spared": 1}},
    ],
)
def test_what_happens_every_day_is_no_alarm(changes):
    assert watched(account(**changes), account()) == {}


def test_a_run_is_compared_with_others_that_have_read_as_much():
    nothing = account(records={"movies": 0, "critic_reviews": 0, "user_reviews": 0}, left_out={"not_due": 100})
    few = account(records={"movies": 50, "critic_reviews": 2000, "user_reviews": 3000}, left_out={"spared": 50})
    assert watched(few, nothing, nothing) == {}
    assert watched(few, account(), nothing) == {"amount": "50 movies, where the last complete runs had 100"}
    spared = account(pages={"2016/movie": 100}, left_out={"not_due": 0, "spared": 100})
    assert watched(account(pages={"2016/movie": 500}), spared) == {}


def test_a_run_that_could_not_start_fails_by_its_outcome_alone():
    ended = {"outcome": "locked", "exit_code": 3, "message": "another crawl has it"}
    assert watched(ended) == {"outcome": "it ended as locked: another crawl has it"}


def test_a_monitor_that_is_broken_says_so():
    broken = watched(account(retries={"timeout": None}))
    assert broken["retries"].startswith("TypeError: ")


def test_the_runbook_has_every_outcome_and_every_monitor():
    headings = set(re.findall(r"^### (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    names = {
        name.removeprefix("test_").replace("_", "-") for name in vars(monitors.RunMonitor) if name.startswith("test_")
    }
    expected = {f"Outcome: {outcome.label}" for outcome in Outcome} | {f"Monitor: {name}" for name in names}
    assert headings == expected
    assert all(notify.runbook(name) == f"docs/runbook.md#monitor-{name}" for name in names)


@contextmanager
def running(server):
    """Have a server serve from a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted; the server has `status` to answer with."""

    def do_POST(self):
        self.server.got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def webhook():
    """A receiver on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status = [], 204
    server.url = f"http://127.0.0.1:{server.server_port}/secret?token=secret"
    with running(server):
        yield server


def test_a_webhook_gets_what_is_wrong(webhook):
    settings = Settings({"METACRAWL_WEBHOOK_URL": webhook.url})
    ended = account(outcome="partial", message="<!channel> & co")
    watched(ended, settings=settings)
    [(path, body)] = webhook.got
    assert path == "/secret?token=secret"
    assert body["text"].startswith(
        "metacrawl: run 7 (movies) ended as partial; outcome: it ended as partial: &lt;!chan"
    )
    assert body["text"].endswith("&gt; &amp; co")
    assert body["failed"] == [
        {
            "monitor": "outcome",
            "message": "it ended as partial: <!channel> & co",
            "runbook": "docs/runbook.md#monitor-outcome",
        }
    ]
    assert body["run"]["records"] == ended["records"]
    assert body["run"]["completeness"] == {"stored": 5000, "missing": 0}


def test_nobody_is_told_of_a_run_that_is_well(webhook):
    watched(account(), settings=Settings({"METACRAWL_WEBHOOK_URL": webhook.url}))
    assert webhook.got == []


@pytest.mark.parametrize("status", [302, 307, 404, 500])
def test_what_a_webhook_refuses_is_logged_and_taken_nowhere_else(webhook, caplog, status):
    webhook.status = status
    watched(account(outcome="partial"), settings=Settings({"METACRAWL_WEBHOOK_URL": webhook.url}))
    assert [path for path, _ in webhook.got] == ["/secret?token=secret"]
    assert caplog.messages == [f"The webhook answered HTTP {status}; nobody was told"]


def test_a_webhook_that_is_not_there_is_logged_without_its_address(caplog):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://secret:secret@127.0.0.1:{free.getsockname()[1]}/secret"
    with caplog.at_level(logging.DEBUG):
        watched(account(outcome="partial"), settings=Settings({"METACRAWL_WEBHOOK_URL": url}))
    assert caplog.messages == ["The webhook could not be told: ConnectionRefusedError; nobody was told"]


def test_one_that_never_answers_is_given_up(caplog, monkeypatch):
    monkeypatch.setattr(notify, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        watched(account(outcome="partial"), settings=Settings({"METACRAWL_WEBHOOK_URL": url}))
    assert len(caplog.messages) == 1
    assert "nobody was told" in caplog.messages[0]


class MailReceiver(socketserver.StreamRequestHandler):
    """Takes e-mails, with no TLS."""

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self):
        self.say("220 local")
        for line in self.rfile:
            self.server.commands.append(line.decode().strip())
            if line.upper().startswith(b"DATA"):
                self.say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(email.message_from_bytes(text, policy=policy.default))
            elif line.upper().startswith(b"QUIT"):
                self.say("221 bye")
                return
            self.say("250 well")


@pytest.fixture
def mail_server():
    """A mail server on loopback."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailReceiver)
    server.commands, server.letters = [], []
    server.host = f"127.0.0.1:{server.server_address[1]}"
    with running(server):
        yield server


def mail_settings(url):
    return Settings(
        {
            "METACRAWL_MAIL_TO": "ops@example.org, data@example.org",
            "METACRAWL_MAIL_FROM": "metacrawl@example.org",
            "METACRAWL_SMTP_URL": url,
        }
    )


def test_an_e_mail_tells_what_is_wrong_and_where_to_look(mail_server):
    watched(account(outcome="layout", message="é is gone"), settings=mail_settings(f"smtp://{mail_server.host}"))
    [letter] = mail_server.letters
    assert letter["To"] == "ops@example.org, data@example.org"
    assert letter["From"] == "metacrawl@example.org"
    assert letter["Subject"] == "metacrawl: run 7 (movies) ended as layout"
    text = letter.get_content()
    assert "outcome: it ended as layout: é is gone\n  docs/runbook.md#monitor-outcome" in text.replace("\r", "")
    assert "RCPT TO:<data@example.org>" in [command.replace("rcpt", "RCPT") for command in mail_server.commands]


def test_a_password_is_not_sent_in_clear(mail_server, caplog):
    watched(account(outcome="layout"), settings=mail_settings(f"smtp://me:secret@{mail_server.host}"))
    assert mail_server.letters == []
    assert not any(command.startswith("AUTH") for command in mail_server.commands)
    says = "The mail server offers no TLS, and a password is sent through nothing less; nobody was told"
    assert caplog.messages == [says]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"METACRAWL_WEBHOOK_URL": "ftp://secret"}, "METACRAWL_WEBHOOK_URL is no URL with http or https"),
        ({"METACRAWL_WEBHOOK_URL": "http://secret:port/"}, "METACRAWL_WEBHOOK_URL is no URL with http or https"),
        ({"METACRAWL_WEBHOOK_URL": "https:///secret"}, "METACRAWL_WEBHOOK_URL is no URL with http or https"),
        ({"METACRAWL_MAIL_TO": "me@example.org"}, "METACRAWL_MAIL_TO is set and METACRAWL_MAIL_FROM is not"),
        (
            {
                "METACRAWL_MAIL_TO": "me@example.org",
                "METACRAWL_MAIL_FROM": "me@example.org",
                "METACRAWL_SMTP_URL": "secret",
            },
            "METACRAWL_SMTP_URL is no URL with smtp or smtps",
        ),
    ],
)
def test_settings_that_no_word_could_go_out_with_are_refused_without_their_values(settings, says):
    with pytest.raises(ConfigError, match=says) as raised:
        check(Settings(settings))
    assert "secret" not in str(raised.value)
