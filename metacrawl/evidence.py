"""Pages kept as evidence of what went wrong: compressed, in a folder that stays small."""

import gzip
import hashlib
import logging
import re
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER = "evidence"
# Of one problem of one run; in the whole folder, in files and bytes.
MOST_OF_EACH, MOST_FILES, MOST_BYTES = 3, 50, 20_000_000


def keep(runs: Path, run: int, problem: str, body: bytes) -> Path | None:
    """Keep a page below the folder of runs; returns its path, or none where there are enough or the disk takes no more.

    The oldest files go where there are too many.
    """
    folder = runs / FOLDER
    name = f"run-{run}-{re.sub('[^a-z0-9-]+', '-', problem.lower())}"
    ending = "json" if body.lstrip()[:1] in {b"{", b"["} else "html"
    path = folder / f"{name}-{hashlib.sha256(body).hexdigest()[:12]}.{ending}.gz"
    try:
        if path.exists():
            return path
        if len(list(folder.glob(f"{name}-{'[0-9a-f]' * 12}.*"))) >= MOST_OF_EACH:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        write(path, gzip.compress(body, mtime=0))
        tidy(folder, path)
    except OSError as error:
        logger.warning("%s: cannot be kept as evidence: %s", path, error.strerror or error)
        return None
    return path


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
