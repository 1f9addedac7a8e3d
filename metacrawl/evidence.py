"""Pages kept as evidence of what went wrong: compressed, for some days, in a folder that stays small."""

import gzip
import hashlib
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scrapy.settings import BaseSettings

from metacrawl.authors import read_authors
from metacrawl.outcome import ConfigError

logger = logging.getLogger(__name__)

FOLDER = "evidence"
# Of one problem of one run; in the whole folder, in files and bytes.
MOST_OF_EACH, MOST_FILES, MOST_BYTES = 3, 50, 20_000_000
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Evidence:
    """The folder of such pages."""

    folder: Path
    days: float
    """For how long they are kept."""

    hidden: bool = False
    """No page may be kept: it has names."""

    @classmethod
    def of(cls, settings: BaseSettings) -> Self:
        """Make it as the settings say. Raises `ConfigError`."""
        try:
            days = settings.getfloat("METACRAWL_EVIDENCE_DAYS")
        except ValueError:
            days = -1
        if not 0 <= days < float("inf"):
            value = settings["METACRAWL_EVIDENCE_DAYS"]
            raise ConfigError(f"METACRAWL_EVIDENCE_DAYS={value} is no number of days, 0 or more")
        return cls(Path(settings["METACRAWL_RUNS"]) / FOLDER, days, read_authors(settings).hidden)

    def keep(self, run: int, problem: str, body: bytes) -> Path | None:
        """Keep a page; returns its path, or none where it may not be, there are enough or the disk takes no more.

        The oldest files go where there are too many.
        """
        if self.hidden or not self.days:
            return None
        name = f"run-{run}-{re.sub('[^a-z0-9-]+', '-', problem.lower())}"
        ending = "json" if body.lstrip()[:1] in {b"{", b"["} else "html"
        path = self.folder / f"{name}-{hashlib.sha256(body).hexdigest()[:12]}.{ending}.gz"
        try:
            if path.exists():
                return path
            if len(list(self.folder.glob(f"{name}-{'[0-9a-f]' * 12}.*"))) >= MOST_OF_EACH:
                return None
            self.folder.mkdir(parents=True, exist_ok=True)
            write(path, gzip.compress(body, mtime=0))
            tidy(self.folder, path)
        except OSError as error:
            logger.warning("%s: cannot be kept as evidence: %s", path, error.strerror or error)
            return None
        self.expire()
        return path

    def expire(self) -> None:
        """Remove what was kept for long enough; what cannot be removed is logged."""
        now = time.time()
        for path in self.folder.glob("*.gz"):
            try:
                # One of a time to come was kept when the clock was wrong.
                if abs(now - path.lstat().st_mtime) >= self.days * DAY:
                    path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("%s: old evidence cannot be removed: %s", path, error.strerror or error)


def write(path: Path, content: bytes) -> None:
    """Write a new file whole, or none; what stands in its place already, be it a link, is an error."""
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
        except OSError:
            path.unlink()
            raise


def tidy(folder: Path, newest: Path) -> None:
    """Remove the oldest files beyond what the folder may hold."""
    files = sorted((path for path in folder.glob("*.gz") if path != newest), key=age, reverse=True)
    room = MOST_BYTES - newest.lstat().st_size
    for number, path in enumerate(files, 2):
        room -= path.lstat().st_size
        if number > MOST_FILES or room < 0:
            path.unlink()


def age(path: Path) -> tuple[int, str]:
    return path.lstat().st_mtime_ns, path.name
