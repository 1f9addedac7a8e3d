"""Death at every single commit of a crawl, just before it and just after it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from metacrawl.demo.site import TODAY
from metacrawl.demo.truth import expected_records
from tests.faults.crawls import Site, python, some_films
from tests.faults.killed_at_commit import AtCommit, commits_of
from tests.faults.subjects import Metacrawl, judge, on_server, sqlite, stored
from tests.faults.sweep import Plan, crawl_calmly, kill


@pytest.fixture
def plan(tmp_path):
    """A crawl of one film, by three names and with two pages of user reviews."""
    return Plan(some_films(1), concurrency=2, folder=tmp_path)


@pytest.fixture
def plan_of_today(tmp_path):
    """A crawl of a list of films on today's site, with lists of reviews of several pages."""
    return Plan(some_films(2), concurrency=2, folder=tmp_path, design=TODAY)


class OnList(Metacrawl):
    """A crawl of the films of a list, with their lists of reviews at the back end."""

    def command(self, site, films, folder, concurrency):
        settings = {"METACRAWL_SITE_URL": site, "METACRAWL_API_URL": f"{site}/backend", "DOWNLOAD_DELAY": 0}
        settings |= {"CONCURRENT_REQUESTS_PER_DOMAIN": concurrency, "METACRAWL_DATABASE_URL": self.database(folder)}
        given = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
        return python("-m", "scrapy", "crawl", "movies", "-a", "browse=new", "-a", "year=1990-2025", *given)

    def verdict(self, world, folder):
        return judge(expected_records(world, TODAY), stored(self.database(folder)))


def test_a_crawl_that_dies_at_any_commit_goes_on_and_has_everything_once(plan, database_url):
    with nullcontext(sqlite) if database_url.startswith("sqlite") else on_server(database_url) as database:
        die_everywhere(plan, Metacrawl(database))


def test_so_does_a_crawl_of_a_list_on_todays_site(plan_of_today):
    die_everywhere(plan_of_today, OnList(sqlite))


def die_everywhere(plan, subject):
    calm = crawl_calmly(plan, subject)
    assert calm.end.complete, calm.end
    assert calm.verdict.flawless, calm.verdict.told
    with Site(plan.world, plan.design) as site:
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
