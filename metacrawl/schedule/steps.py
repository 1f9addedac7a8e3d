"""Does the steps of a job: each in a process of its own, or a crawl at Scrapyd."""

import datetime as dt
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO

from scrapy.settings import BaseSettings

from metacrawl.outcome import Outcome, printable, told
from metacrawl.schedule import scrapyd
from metacrawl.schedule.file import read_crawl
from metacrawl.schedule.model import Job, Result, Step, StoppedError

logger = logging.getLogger(__name__)

# How often a crawl is begun, if it ends without saying how.
ATTEMPTS = 3
# Of a line that a process writes, the most that is read at a time, and the most that is told.
CHUNK, TOLD = 64 * 1024, 500


class Steps:
    """Does steps, until it is stopped, with the settings that were `given` on the command line; for several threads."""

    def __init__(self, settings: BaseSettings, given: Sequence[str] = ()) -> None:
        self.settings = settings
        self.given = [part for setting in given for part in ("-s", setting)]
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.processes: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """Begin no more, and have the processes end in their orderly way; a crawl at Scrapyd goes on."""
        with self.lock:
            self.stopping.set()
            for process in self.processes:
                process.terminate()

    def of(self, job: Job, due_at: dt.datetime) -> Iterator[tuple[Step, Result]]:
        """Do the steps of a job, one after the other, whatever becomes of each. Raises `StoppedError`."""
        for number, step in enumerate(job.steps, 1):
            logger.info("Job %s: %s", job.name, step.command)
            try:
                result = self.do(step, f"{job.name}-{due_at:%Y%m%dT%H%M%SZ}-{number}")
            except StoppedError:
                raise
            except Exception as error:
                logger.exception("Job %s: %s", job.name, step.command)
                result = Result(Outcome.INTERNAL, printable(told(error)))
            if self.stopping.is_set():
                raise StoppedError
            logger.info("Job %s: %s ended as %s: %s", job.name, step.command, result.outcome.label, result.message)
            yield step, result

    def do(self, step: Step, step_id: str) -> Result:
        """Do a step; a crawl that ends without saying how is begun again, and goes on where it stopped."""
        if not step.is_crawl:
            return self.run(step.words)
        for attempt in range(1, ATTEMPTS + 1):
            result = self.crawl(step, f"{step_id}-{attempt}")
            if not result.crashed or self.stopping.is_set():
                break
            logger.warning("%s ended without saying how: %s", step.command, result.message)
        return result

    def crawl(self, step: Step, job_id: str) -> Result:
        if self.settings["METACRAWL_SCRAPYD_URL"]:
            return scrapyd.crawl(self.settings, read_crawl(step.words), job_id, self.stopping)
        return self.run([*step.words, "-a", f"_job={job_id}"])

    def run(self, words: Sequence[str]) -> Result:
        """Run a command in a process, which gets no signal but from here; what it writes goes to standard error.

        Raises `StoppedError`.
        """
        command = [sys.executable, "-m", "scrapy", *words, *self.given]
        with self.lock:
            if self.stopping.is_set():
                raise StoppedError
            process = subprocess.Popen(  # noqa: S603 - metacrawl itself, without a shell
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
            )
            self.processes.add(process)
        try:
            with process:
                assert process.stdout  # noqa: S101 - for mypy
                said = pass_on(process.stdout)
        finally:
            with self.lock:
                self.processes.remove(process)
        return result_of(process.returncode, said)


def pass_on(output: IO[bytes]) -> str:
    """Write what a process writes, and give the last line of it that is no part of a table."""
    said = b""
    for line in iter(partial(output.readline, CHUNK), b""):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        if re.match(rb"[!-~]", line):
            said = line
    return printable(said.decode("utf-8", "replace").strip())[:TOLD]


def result_of(code: int, said: str) -> Result:
    """Tell how a process ended; one that was killed, or of another make, does not say."""
    try:
        outcome = Outcome(code)
        return Result(outcome, said.removeprefix(f"{outcome.label}: ").removeprefix("metacrawl: "))
    except ValueError:
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return Result(Outcome.INTERNAL, f"{how}; {said}".removesuffix("; "), crashed=True)
