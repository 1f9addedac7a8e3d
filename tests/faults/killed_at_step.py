"""`python -m tests.faults.killed_at_step [--step N] [--in-place] -- export ...`: Scrapy that kills itself.

SIGKILL comes right before the N-th time that an export opens, makes, renames or removes a file or a folder. Without
--step it lives, and says at its end how many times there were. With --in-place it is one that writes where people read.
"""

import argparse
import atexit
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scrapy.cmdline import execute

STEPS = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "sqlite3.connect"}


def plant(fatal: int | None) -> None:
    """Have this process die at a step; the first one is that which makes the folder of versions."""
    steps = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if event not in STEPS or (event == "open" and not of_export(*arguments)):
            return
        if steps or (event == "os.mkdir" and str(arguments[0]).endswith((".versions", "dataset"))):
            steps += 1
        if steps == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    if fatal is None:
        atexit.register(lambda: sys.stderr.write(f"steps: {steps}\n"))


def of_export(path: object, _mode: object, flags: int) -> bool:
    """Tell whether a file is one of a dataset's, and no module that is imported."""
    return ".versions" in str(path) or bool(flags & (os.O_WRONLY | os.O_RDWR))


@contextmanager
def in_place(folder: Path) -> Iterator[Path]:
    """Publish as a program would that thinks of no reader."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.killed_at_step", description=__doc__)
    parser.add_argument("--step", type=int)
    parser.add_argument("--in-place", action="store_true")
    parser.add_argument("arguments", nargs="+")
    given = parser.parse_args()
    if given.in_place:
        from metacrawl.dataset import export  # noqa: PLC0415 - the settings come first elsewhere

        export.publishing = in_place
    plant(given.step)
    execute(["scrapy", *given.arguments])


if __name__ == "__main__":
    main()
