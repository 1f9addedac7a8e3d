"""Death at every single commit of a crawl, just before it and just after it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from tests.faults.crawls import Site, some_films
from tests.faults.killed_at_commit import AtCommit, commits_of
from tests.faults.subjects import Metacrawl, on_server, sqlite
from tests.faults.sweep import Plan, crawl_calmly, kill


@pytest.fixture
def plan(tmp_path):
    """A crawl of one film, by three names and with two pages of user reviews."""
    return Plan(some_films(1), concurrency=2, folder=tmp_path)


def test_a_crawl_that_dies_at_any_commit_goes_on_and_has_everything_once(plan, database_url):
    with nullcontext(sqlite) if database_url.startswith("sqlite") else on_server(database_url) as database:
        subject = Metacrawl(database)
        calm = crawl_calmly(plan, subject)
        assert calm.end.complete, calm.end
        with Site(plan.world) as site:
            commits = commits_of(plan.crawl(subject, "counted", site)[0])
        moments = [AtCommit(number + 1, after) for number in range(commits) for after in (False, True)]

        def faults(moment):
            case = kill(plan, subject, f"{moment}".replace(" ", "_"), [moment], calm, third=False)
            return [f"killed {moment}: {fault}" for fault in case.faults(plan.bound)], len(case.moments)

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(faults, moments))
    broken = [fault for told, _ in found for fault in told]
    assert not broken, "\n".join(broken)
    # Pages that end together share a commit, so that a crawl may have one or two fewer than the one that was counted.
    assert sum(killed for _, killed in found) >= len(moments) - 6
