"""Sub-commands of `scrapy`, and what they share."""

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console, RenderableType
from rich.text import Text

from metacrawl.outcome import ConfigError, DiskFullError, RefusedError

# What a disk says that takes no more: it is full, a quota is used up, or a file may not be as large.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def stop(error: RefusedError) -> NoReturn:
    """End the command with the error's one line and its exit code."""
    print(f"metacrawl: {error}", file=sys.stderr)
    sys.exit(error.outcome.value)


def unwritable(what: object, error: OSError) -> RefusedError:
    """Say that something cannot be written, and why."""
    says = f"{what} cannot be written: {error.strerror or error}"
    return DiskFullError(f"{says}: make room on its disk") if error.errno in FULL else ConfigError(says)


def show(parts: Iterable[RenderableType]) -> None:
    """Print what is for people."""
    with piped():
        console = Console(highlight=False)
        for part in parts:
            # A command that is broken into lines cannot be copied.
            console.print(part, soft_wrap=isinstance(part, Text))


@contextmanager
def piped() -> Iterator[None]:
    """Print for a reader who may have seen enough before the end."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left to write must go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
