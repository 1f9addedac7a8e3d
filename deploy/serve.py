"""Runs Scrapyd as scrapyd.conf says: only with credentials, only where few can reach it, and with no crawl left behind.

    SCRAPYD_USERNAME=… SCRAPYD_PASSWORD=… python deploy/serve.py FOLDER [--conf FILE] [--container]

When Scrapyd ends, it leaves its crawls running, and nobody knows of them any more. Here they get a SIGTERM then; they
stop within 8 seconds, as `scrapy crawl` does, and the same command goes on with them later.
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import MutableMapping
from configparser import ConfigParser
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from scrapyd.config import Config

CONF = Path(__file__).with_name("scrapyd.conf")
USERNAME, PASSWORD, PASSWORD_FILE = "SCRAPYD_USERNAME", "SCRAPYD_PASSWORD", "SCRAPYD_PASSWORD_FILE"
LEAST = 16
STOPPING = {signal.SIGTERM, signal.SIGINT}
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main() -> None:
    """Serve until a signal comes; exits with 2 where that would not be safe."""
    # Before all else: a signal that comes early waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    given = read_command_line()
    try:
        # First, for its file may be named relative to the working directory, which is another one then.
        read_password(os.environ)
        check_credentials(os.environ.get(USERNAME, ""), os.environ.get(PASSWORD, ""))
        prepare(given.folder, given.conf)
        if given.container:
            os.environ["SCRAPYD_BIND_ADDRESS"] = "0.0.0.0"  # noqa: S104 - asked for
        else:
            check_address(os.environ.get("SCRAPYD_BIND_ADDRESS") or Config().get("bind_address"))
    except (OSError, ValueError) as error:
        print(f"scrapyd: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(serve())


def read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run Scrapyd.")
    parser.add_argument("folder", type=Path, help="where it keeps eggs, logs and jobs")
    parser.add_argument("--conf", type=Path, help="a file whose lines take the place of those in scrapyd.conf")
    help_text = "listen on all addresses, which in a container are those of its own network"
    parser.add_argument("--container", action="store_true", help=help_text)
    return parser.parse_args()


def prepare(folder: Path, conf: Path | None) -> None:
    """Make the folder the working directory, with the configuration in it, for Scrapyd and each crawl read it there."""
    lines = ConfigParser(interpolation=None)
    for file in (CONF, conf):
        if file:
            lines.read_string(file.read_text(encoding="utf-8"), str(file))
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    with Path("scrapyd.conf").open("w", encoding="utf-8") as merged:
        lines.write(merged)


def read_password(environ: MutableMapping[str, str]) -> None:
    """Read the password from a file, where one is named."""
    if not (file := environ.pop(PASSWORD_FILE, "")):
        return
    if environ.get(PASSWORD):
        raise ValueError(f"both {PASSWORD} and {PASSWORD_FILE} are set: which one counts?")
    try:
        environ[PASSWORD] = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise OSError(f"{PASSWORD_FILE}={file} cannot be read: {error.strerror}") from None


def check_credentials(username: str, password: str) -> None:
    """Raise `ValueError` for credentials that are missing, that Scrapyd cannot take, or that can be guessed."""
    if not username or not password:
        raise ValueError(f"set {USERNAME} and {PASSWORD}: without them anybody could run any code here")
    if ":" in username:
        raise ValueError(f"{USERNAME} must have no colon")
    if len(password) < LEAST:
        raise ValueError(f"{PASSWORD} is too short: make it {LEAST} characters or more")


def check_address(address: str) -> None:
    """Raise `ValueError` for an address that strangers may reach."""
    try:
        place = ip_address(address)
    except ValueError:
        raise ValueError(f"bind_address {address or '(none)'} is no IP address") from None
    if place.is_unspecified or not (place.is_loopback or place.is_private):
        raise ValueError(f"bind_address {address} can be reached from outside: give one of this machine or its network")


def serve() -> int:
    """Run Scrapyd, and wait until nothing of it and its crawls is left; returns 0 if it was asked to end."""
    # Crawls that lose Scrapyd become children of this process, so that it can wait for them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # A file with its number would keep it from starting again after a crash.
    command = [sys.executable, "-m", "scrapyd", "--pidfile="]
    server = os.posix_spawn(sys.executable, command, os.environ, setpgroup=0, setsigmask=())
    code = 1

    def stop(*_: object) -> None:
        nonlocal code
        if code:
            code = 0
            with suppress(ProcessLookupError):
                os.kill(server, signal.SIGTERM)

    for number in STOPPING:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    while True:
        try:
            ended, _ = os.waitpid(-1, 0)
        except ChildProcessError:
            return code
        if ended == server:
            # Not before, for a Scrapyd that is ending may start another; and once: two signals end them in disorder.
            with suppress(ProcessLookupError):
                os.killpg(server, signal.SIGTERM)


if __name__ == "__main__":
    main()
