"""Python processes that have imported what others have written before they are asked for: starting one takes a moment.

`python -m tests.warm` serves: for each connection it forks a process that becomes the module which is asked for, as
`python -m` would run it, and tells its number and then how it ended. Metacrawl's own modules are imported anew each
time; so are the settings read.
"""

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import cycle
from pathlib import Path

from scrapy.settings import default_settings as defaults
from scrapy.utils.misc import load_object

ROOT = Path(__file__).parents[1]
FLAGS = ("-W", "error", "-W", "ignore:none")
# What takes long, beside all that Scrapy imports for its own parts.
IMPORTED = (
    "filelock",
    "itemloaders",
    "msgspec",
    "rich.progress",
    "rich.table",
    "scrapy.cmdline",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.core.engine",
    "scrapy.core.scheduler",
    "scrapy.core.scraper",
    "scrapy.robotstxt",
    "scrapy.shell",
    "smtplib",
    "spidermon.contrib.scrapy.extensions",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.ext.compiler",
    "tldextract",
    "twisted.internet.asyncioreactor",
    "twisted.web.client",
    "warcio.warcwriter",
)


class Process:
    """A process that a server has started, as `subprocess.Popen` tells of one."""

    def __init__(self, server: Path, module: str, arguments: Sequence[str], **given: object) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(server))
        self.told = self.connection.makefile("rw", encoding="utf-8")
        self.told.write(json.dumps({"module": module, "arguments": arguments, **given}) + "\n")
        self.told.flush()
        self.pid = int(self.told.readline())
        self.returncode: int | None = None
        self.lock = threading.Lock()

    def poll(self) -> int | None:
        """Tell how it ended, if it has."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(timeout=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and tell how it ended."""
        if self.returncode is None and not select.select([self.connection], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        with self.lock:
            if self.returncode is None:
                self.returncode = int(self.told.readline())
                self.told.close()
                self.connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@cache
def servers() -> Iterator[Path]:
    """Start two servers, to be used in turn: a crawl and the one that goes on with it order their sets differently."""
    return cycle([start_server(), start_server()])


def start_server() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    path = Path(folder.name, "socket")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("METACRAWL_", "COV"))}
    environment["PYTHONPATH"] = f"{ROOT / 'tests' / 'audit'}{os.pathsep}{ROOT}"
    # Watched by `tests.audit` in any case: what it forks notes what it unpickles where its own environment says.
    environment.setdefault("UNPICKLED", os.devnull)
    command = [sys.executable, *FLAGS, "-m", "tests.warm", str(path)]
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdin
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"

    def end() -> None:
        server.communicate()
        folder.cleanup()

    atexit.register(end)
    return path


def start(
    module: str, arguments: Sequence[str], *, environment: Mapping[str, str], stdout: Path, stderr: Path
) -> Process:
    """Run `python -m module arguments`, in the project's folder; its output goes to files."""
    given = {"environment": dict(environment), "stdout": str(stdout), "stderr": str(stderr)}
    return Process(next(servers()), module, arguments, **given)


def run(
    module: str, arguments: Sequence[str], *, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Do so, wait for its end, and give what it wrote."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        process = start(module, arguments, environment=environment, stdout=stdout, stderr=stderr)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        written = stdout.read_text("utf-8"), stderr.read_text("utf-8")
    return subprocess.CompletedProcess([module, *arguments], code, *written)


def serve(path: str) -> None:
    """Fork a process for each connection until standard input ends; returns only in what is to be the process."""
    for name in IMPORTED:
        import_module(name)
    for part in (*defaults.DOWNLOADER_MIDDLEWARES_BASE, *defaults.SPIDER_MIDDLEWARES_BASE, *defaults.EXTENSIONS_BASE):
        load_object(part)
    assert "twisted.internet.reactor" not in sys.modules, "a reactor cannot be shared"
    assert not any(name.startswith("metacrawl") for name in sys.modules), "its imports are part of what is tested"
    assert threading.active_count() == 1, "a thread would not be there in the child"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)  # noqa: T201 - what the server was started for
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                keep(connection)
                return
            connection.close()
    os._exit(0)


def keep(connection: socket.socket) -> None:
    """Become the process that is asked for in a child of this one, and tell its number and its end from here."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told = connection.makefile("rw", encoding="utf-8")
    given = json.loads(told.readline())
    if not (pid := os.fork()):
        connection.close()
        told.close()
        become(**given)
        return
    told.write(f"{pid}\n")
    told.flush()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError):
        told.write(f"{code}\n")
        told.flush()
    os._exit(0)


def become(module: str, arguments: list[str], environment: dict[str, str], stdout: str, stderr: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    places = {0: os.open(os.devnull, os.O_RDONLY)}
    places |= {
        number: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for number, path in ((1, stdout), (2, stderr))
    }
    for number, file in places.items():
        os.dup2(file, number)
        os.close(file)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve(sys.argv[1])
