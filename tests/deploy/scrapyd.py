"""A Scrapyd on loopback, as deploy/serve.py starts it, that runs the program out of an egg."""

import os
import runpy
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

from tests.conftest import AUDIT, ROOT
from tests.crawl.waiting import wait_for
from tests.postgres import free_port

USERNAME, PASSWORD = "operator", "password-of-the-tests"
CREDENTIALS = (USERNAME, PASSWORD)
SERVE, DEPLOY = ROOT / "deploy" / "serve.py", ROOT / "deploy" / "deploy.py"
# Jobs start as soon as they are asked for.
CONF = "[scrapyd]\npoll_interval = 0.1\n"


class Scrapyd:
    """A server in a folder, on a port that stays the same from start to start, until the `with` ends.

    It has an egg from the start if one is given. `settings` are in the environment of its crawls. `log` is what it has
    written.
    """

    def __init__(self, folder: Path, egg: Path | None = None, **settings: str) -> None:
        self.folder, self.log = folder, folder / "scrapyd.log"
        self.eggs = folder / "state" / "eggs" / "metacrawl"
        if egg:
            self.eggs.mkdir(parents=True)
            shutil.copy(egg, self.eggs / "1.egg")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[bytes] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("METACRAWL_", "COV"))}
        # What runs must be in the egg: the checkout is not on the path.
        ours = {"PYTHONPATH": str(AUDIT), "HOME": str(folder), "METACRAWL_RUNS": str(folder / "runs")}
        access = {"SCRAPYD_HTTP_PORT": str(self.port), "SCRAPYD_USERNAME": USERNAME, "SCRAPYD_PASSWORD": PASSWORD}
        self.environment = kept | ours | access | settings

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "test.conf").write_text(CONF, encoding="utf-8")
        section = f"[deploy:test]\nurl = {self.url}\nproject = metacrawl\n"
        access = "username = $SCRAPYD_USERNAME\npassword = ${SCRAPYD_PASSWORD}\n"
        (self.folder / ".scrapy.cfg").write_text(section + access, encoding="utf-8")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, str(SERVE), str(self.folder / "state"), "--conf", str(self.folder / "test.conf")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        wait_for(lambda: self.is_up() or self.process.poll() is not None, every=0.1)
        assert self.is_up(), self.log.read_text("utf-8")

    def is_up(self) -> bool:
        """Tell whether it answers."""
        try:
            return requests.get(f"{self.url}daemonstatus.json", auth=CREDENTIALS, timeout=10).ok
        except requests.ConnectionError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; returns how it ended."""
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    @property
    def pid(self) -> int:
        """The number of Scrapyd's own process."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii").split()
        return next(int(child) for child in children if b"--pidfile=" in Path(f"/proc/{child}/cmdline").read_bytes())

    def ask(self, action: str, **given: Any) -> dict[str, Any]:
        """Send values to it, or only ask where there are none; what it says must be well."""
        if given:
            given = {"project": "metacrawl"} | given
            response = requests.post(f"{self.url}{action}.json", data=given, auth=CREDENTIALS, timeout=30)
        else:
            about = {"project": "metacrawl"}
            response = requests.get(f"{self.url}{action}.json", params=about, auth=CREDENTIALS, timeout=30)
        answer: dict[str, Any] = response.json()
        assert answer["status"] == "ok", answer
        return answer

    def schedule(self, job: str, *, site: str, delay: float = 0.01, lease: int = 60, **arguments: str) -> None:
        """Have films crawled from a site; does not wait."""
        settings = [f"METACRAWL_SITE_URL={site}", f"DOWNLOAD_DELAY={delay}", f"METACRAWL_LEASE_SECONDS={lease}"]
        self.ask("schedule", spider="movies", jobid=job, setting=settings, **arguments)

    def running(self) -> list[dict[str, Any]]:
        """Tell of the jobs that are at work."""
        return self.ask("listjobs")["running"]

    def finished(self) -> set[str]:
        """Name the jobs that have ended."""
        return {job["id"] for job in self.ask("listjobs")["finished"]}

    def wait_for(self, job: str) -> None:
        """Wait until a job has ended."""
        wait_for(lambda: job in self.finished(), 60, every=0.2)

    def deploy(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run deploy/deploy.py with this server as its target."""
        command = [sys.executable, str(DEPLOY), "test", *map(str, arguments)]
        given = self.environment | environment
        return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=120, check=False)


def build_egg(folder: Path) -> Path:
    """Build an egg of the checkout, as deploy/deploy.py does."""
    script = runpy.run_path(str(DEPLOY))
    egg: Path = script["build"](folder)
    return egg
