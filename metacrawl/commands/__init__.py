"""Sub-commands of `scrapy`, and what they share."""

import sys
from typing import NoReturn

from metacrawl.outcome import RefusedError


def stop(error: RefusedError) -> NoReturn:
    """End the command with the error's one line and its exit code."""
    print(f"metacrawl: {error}", file=sys.stderr)
    sys.exit(error.outcome.value)
