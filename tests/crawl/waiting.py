"""To wait for what gives no sign."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool], seconds: float = 20, every: float = 0.01) -> None:
    """Ask again and again until something is true; fails when that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(every)
