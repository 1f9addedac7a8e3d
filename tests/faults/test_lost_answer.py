"""A COMMIT whose answer is lost: the crawl must find out whether it was done, and neither lose nor repeat a page."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from metacrawl.outcome import Outcome
from tests.faults.crawls import some_films
from tests.faults.proxy import Proxy
from tests.faults.subjects import Metacrawl, on_server
from tests.faults.sweep import Plan, crawl_calmly

COMMITS = 10
# Those of opening the database: by the command, and again by the crawl.
STARTING = 2


@pytest.fixture
def plan(tmp_path):
    """A crawl of two films."""
    return Plan(some_films(2), concurrency=2, folder=tmp_path)


def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_repeated(plan, postgresql_url):
    with on_server(postgresql_url) as database:

        def faults(number):
            with Proxy(sa.make_url(database(plan.folder / f"{number}")), fatal=number) as proxy:
                # A process that is only starting does not wait: a wrong URL is told at once.
                retry = Outcome.DATABASE.value if number <= STARTING else None
                crawl = crawl_calmly(plan, Metacrawl(lambda _: proxy.url), f"lost-{number}", retry=retry)
            told = list(crawl.verdict.told) if crawl.end.complete else [f"did not end complete: {crawl.end}"]
            told += [f"{path} was asked for again" for path in crawl.again]
            if not proxy.lost.is_set():
                told.append(f"was never made: there were {proxy.commits}")
            return [f"commit {number}: {fault}" for fault in told]

        with ThreadPoolExecutor(2) as pool:
            found = [fault for told in pool.map(faults, range(1, COMMITS + 1)) for fault in told]
    assert not found, "\n".join(found)
