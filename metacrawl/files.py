"""Files that are whole, or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path, unfinished: Path) -> Iterator[IO[str]]:
    """Open a file that appears under its name, in place of an older one, only once it is written to its end.

    Until then it is `unfinished`, in the same folder. Raises `OSError`.
    """
    # One left over from a process that was killed; or a link that somebody put there, which is not to be followed.
    unfinished.unlink(missing_ok=True)
    with unfinished.open("x", encoding="utf-8", newline="") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
