"""Word of what is not well, to a webhook and by e-mail. Their URLs are secrets, and never logged."""

import http.client
import json
import logging
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from scrapy.settings import BaseSettings
from spidermon import Action, MonitorResult

from metacrawl.outcome import ConfigError

logger = logging.getLogger(__name__)

# Seconds that either may take.
PATIENCE = 10.0
# What word goes out of the account; the rest of it is thousands of numbers.
TOLD = (
    *("run", "spider", "arguments", "started_at", "finished_at", "outcome", "exit_code", "message"),
    *("requests", "records", "responses", "retries", "problems"),
)
MAIL_SETTINGS = ("METACRAWL_MAIL_TO", "METACRAWL_MAIL_FROM", "METACRAWL_SMTP_URL")


class RefusedByReceiverError(Exception):
    """The receiver did not take it; the message has no secrets."""


class Notify(Action):
    """Tells of the monitors that failed. What cannot be sent is one line in the log."""

    def __init__(self, settings: BaseSettings) -> None:
        super().__init__()
        self.settings = settings

    def run_action(self) -> None:
        """Send word wherever the settings say."""
        account = self.data.account
        failed = reasons(self.result)
        tell(self.settings, body(account, failed), *in_words(account, failed))


def tell(settings: BaseSettings, content: Mapping[str, Any], subject: str, text: str) -> None:
    """Send word wherever the settings say: the content to a webhook, the text by e-mail."""
    webhook, mail_to = settings["METACRAWL_WEBHOOK_URL"], settings["METACRAWL_MAIL_TO"]
    if webhook:
        attempt("The webhook", lambda: post(webhook, content))
    if mail_to:
        sender, server = settings["METACRAWL_MAIL_FROM"], settings["METACRAWL_SMTP_URL"]
        attempt("The mail server", lambda: send(server, letter(mail_to, sender, subject, text)))


def reasons(result: MonitorResult) -> dict[str, str]:
    """Tell by the names of the monitors that failed why, in a line of their own or their last."""
    return {
        failed.monitor.method_name.removeprefix("test_").replace("_", "-"): (
            failed.reason or failed.error.strip().rpartition("\n")[2]
        )
        for failed in result.monitors_failed_results
    }


def check(settings: BaseSettings) -> None:
    """Raise `ConfigError` for a setting that no word could go out with; it does not tell the value."""
    if settings["METACRAWL_WEBHOOK_URL"] and not is_url(settings["METACRAWL_WEBHOOK_URL"], "http", "https"):
        raise ConfigError("METACRAWL_WEBHOOK_URL is no URL with http or https")
    given = [name for name in MAIL_SETTINGS if settings[name]]
    if given and len(given) < len(MAIL_SETTINGS):
        missing = next(name for name in MAIL_SETTINGS if name not in given)
        raise ConfigError(f"{given[0]} is set and {missing} is not: an e-mail needs {', '.join(MAIL_SETTINGS)}")
    if given and not is_url(settings["METACRAWL_SMTP_URL"], "smtp", "smtps"):
        raise ConfigError("METACRAWL_SMTP_URL is no URL with smtp or smtps")


def is_url(url: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def attempt(receiver: str, action: Callable[[], None]) -> None:
    """Do it within a time; what goes wrong is logged by its kind alone, for its text may have the address in it."""
    wrong = [f"gave no answer within {PATIENCE:.0f} s"]

    def act() -> None:
        try:
            action()
            wrong.clear()
        except RefusedByReceiverError as error:
            wrong[:] = [str(error)]
        except Exception as error:  # noqa: BLE001 - whatever it is, what it is about has ended as it has
            wrong[:] = [f"could not be told: {type(error).__name__}"]

    # A socket's own limit is for each of its steps; a thread that hangs must not hold up the end of the process.
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    for what in wrong:
        logger.error("%s %s; nobody was told", receiver, what)


def headline(account: Mapping[str, Any], failed: Mapping[str, str]) -> str:
    """Tell in a line how a run ended and what is wrong with it."""
    run = f"run {account['run']} ({account['spider']})" if "run" in account else "a run that left no record"
    wrong = "; ".join(f"{name}: {why}" for name, why in failed.items())
    return f"metacrawl: {run} ended as {account['outcome']}; {wrong}"


def body(account: Mapping[str, Any], failed: Mapping[str, str]) -> dict[str, Any]:
    """Make what a webhook gets."""
    told = {name: account[name] for name in TOLD if name in account}
    lists = {name: number for name, number in account.get("completeness", {}).items() if name != "wanting"}
    found = [{"monitor": name, "message": why, "runbook": runbook(name)} for name, why in failed.items()]
    return {"text": for_chat(headline(account, failed)), "run": {**told, "completeness": lists}, "failed": found}


def for_chat(text: str) -> str:
    """Make text one that chats show as it is: what a site says must not call people."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def in_words(account: Mapping[str, Any], failed: Mapping[str, str]) -> tuple[str, str]:
    """Write the subject and the text of an e-mail."""
    subject = headline(account, {}).rstrip("; ")
    wrong = [f"{name}: {why}\n  {runbook(name)}" for name, why in failed.items()]
    return subject, "\n".join([subject, "", *wrong, ""])


def runbook(monitor: str) -> str:
    """Tell where the runbook says what to do."""
    return f"docs/runbook.md#monitor-{monitor}"


def post(url: str, content: Mapping[str, Any]) -> None:
    """Post JSON; goes nowhere else, whatever the answer says. Raises `RefusedByReceiverError`."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json"}
        connection.request("POST", target, json.dumps(content).encode(), headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise RefusedByReceiverError(f"answered HTTP {status}")


def letter(to: str, sender: str, subject: str, text: str) -> EmailMessage:
    """Write the e-mail."""
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = to, sender, subject
    message.set_content(text)
    return message


def send(url: str, message: EmailMessage) -> None:
    """Hand an e-mail to a server; a password goes only through TLS. Raises `RefusedByReceiverError`."""
    parts = urlsplit(url)
    secure = ssl.create_default_context()
    host, port = parts.hostname or "", parts.port or 0
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=secure)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE)
    with server:
        server.ehlo()
        private = parts.scheme == "smtps" or server.has_extn("starttls")
        if parts.scheme == "smtp" and private:
            server.starttls(context=secure)
        if parts.username and not private:
            raise RefusedByReceiverError("offers no TLS, and a password is sent through nothing less")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
