"""Sub-commands of `scrapy`, and what they share."""

import sys
from typing import NoReturn

from metacrawl.outcome import ConfigError, DatabaseError, Outcome


def stop(error: ConfigError | DatabaseError) -> NoReturn:
    """End the command with the error's one line and its exit code."""
    print(f"metacrawl: {error}", file=sys.stderr)
    sys.exit((Outcome.DATABASE if isinstance(error, DatabaseError) else Outcome.CONFIG).value)
