"""The memory that a crawl is held to is its own."""

import json
import subprocess
import sys

import pytest

PARENT = """
import subprocess, sys
large = b"x" * (400 << 20)
del large
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
"""
CHILD = """
import json
from scrapy.extensions.memusage import MemoryUsage
from scrapy.utils.test import get_crawler
from metacrawl.extensions.memory import MemoryLimit

crawler = get_crawler(settings_dict={"MEMUSAGE_ENABLED": True})
print(json.dumps([kind.from_crawler(crawler).get_virtual_size() for kind in (MemoryLimit, MemoryUsage)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process does not inherit it")
def test_what_the_process_that_started_it_had_is_not_held_against_a_crawl():
    told = subprocess.run([sys.executable, "-c", PARENT, CHILD], check=True, capture_output=True, text=True)
    ours, scrapys = json.loads(told.stdout)
    assert 20 << 20 < ours < 200 << 20
    # What it would be without the extension.
    assert scrapys > 400 << 20
