"""`scrapy schedule` as a process whose clock says what a test wants."""

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.crawl.waiting import wait_for

ROOT = Path(__file__).parents[2]
# Debian's package faketime.
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class Clock:
    """The clock of schedulers and of their steps: it stands until it is let go on, however slow the machine is."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def stand_at(self, time: str) -> None:
        self.say(time)

    def go_on_from(self, time: str) -> None:
        ahead = dt.datetime.fromisoformat(f"{time}Z") - dt.datetime.now(dt.UTC)
        self.say(f"{ahead.total_seconds():+.3f}")

    def say(self, what: str) -> None:
        # At once: it is read at any time.
        whole = self.file.with_suffix(".new")
        whole.write_text(what, encoding="utf-8")
        whole.replace(self.file)

    def environment(self) -> dict[str, str]:
        """Give what a process needs to have this clock."""
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            # Seconds until it is read again.
            "FAKETIME_CACHE_DURATION": "1",
            # Whoever waits for seconds to pass waits for real ones.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }


class Clocked:
    """A scheduler with such a clock."""

    def __init__(self, clock: Clock, log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        kept = {name: value for name, value in os.environ.items() if not name.startswith("METACRAWL_")}
        command = [sys.executable, "-W", "error", "-m", "scrapy", "schedule", "-s", "DOWNLOAD_DELAY=0.01"]
        given = kept | clock.environment() | {"PYTHONPATH": str(ROOT)} | dict(environment)
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=file, stderr=file)

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def wait_to_say(self, text: str) -> None:
        """Wait for a text in the log."""
        wait_for(lambda: text in self.said() or self.process.poll() is not None, seconds=120)
        assert text in self.said(), self.said()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; tells how it ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)
