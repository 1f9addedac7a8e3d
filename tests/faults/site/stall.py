"""An extension for crawls: how long the event loop was held up, and how much memory the process took at most."""

import asyncio
import json
import time
from pathlib import Path
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

STEP = 0.05


class StallMeter:
    """Writes `METER_FILE`: for how many seconds of CPU the loop was held up at most, and the peak of memory in MB."""

    def __init__(self, crawler: Crawler) -> None:
        self.file = Path(crawler.settings["METER_FILE"])
        self.longest = 0.0
        crawler.signals.connect(self.start, signals.engine_started)
        crawler.signals.connect(self.stop, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the meter."""
        return cls(crawler)

    def start(self) -> None:
        """Begin to measure."""
        self.task = asyncio.get_running_loop().create_task(self.measure())

    async def measure(self) -> None:
        # Time of this thread's own, for other processes may have the machine's.
        while True:
            before = time.thread_time()
            await asyncio.sleep(STEP)
            self.longest = max(self.longest, time.thread_time() - before)

    def stop(self) -> None:
        """Write down what was measured."""
        self.task.cancel()
        peak = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if "VmHWM" in line)
        self.file.write_text(json.dumps({"stall": self.longest, "peak": int(peak.split()[1]) / 1024}), "utf-8")
