"""An end in good order for a process that takes too much memory."""

import os
import sys
from pathlib import Path

from scrapy.extensions.memusage import MemoryUsage

# Its second number is how many pages of memory the process has now.
STATM = Path("/proc/self/statm")


class MemoryLimit(MemoryUsage):
    """Scrapy's limit, on what the process has now.

    The highest that it ever had, which Scrapy goes by, is on Linux what the process that started it had.
    """

    def get_virtual_size(self) -> int:
        """Tell how many bytes of memory the process has."""
        if sys.platform != "linux":
            return int(super().get_virtual_size())
        return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
