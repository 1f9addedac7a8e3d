"""What is watched of every run: Spidermon's monitors, on the run's account and on those of the runs before it.

Each fails with one line that a person understands; docs/runbook.md says under its name what to do.
"""

from collections import Counter
from statistics import fmean
from typing import Any

from scrapy.settings import BaseSettings
from spidermon import Monitor, MonitorSuite

from metacrawl.notify import Notify
from metacrawl.outcome import Outcome

# The most that may be missing of all reviews, fail of all pages, be repeated of all responses.
MISSING, FAILED, RETRIED = 0.005, 0.02, 0.1
# What a run must bring at least of what those before brought on average: records in all, and by page.
AMOUNT, PER_PAGE = 0.9, 0.5
# By how much of all records fewer may have a field than in the runs before, and from how many records on that counts.
COVERAGE, ENOUGH = 0.1, 50


class RunMonitor(Monitor):
    """Watches one run. `self.data` has its `account`, and the accounts of complete runs of the same job before it."""

    @property
    def account(self) -> dict[str, Any]:
        """What the run says of itself; only how it ended where it never began."""
        account: dict[str, Any] = self.data.account
        return account

    @property
    def earlier(self) -> list[dict[str, Any]]:
        """What those before it said."""
        earlier: list[dict[str, Any]] = self.data.earlier
        return earlier

    def test_outcome(self) -> None:
        if self.account["outcome"] != Outcome.COMPLETE.label:
            self.fail(f"it ended as {self.account['outcome']}: {self.account['message']}")

    def test_completeness(self) -> None:
        if self.account.get("arguments", {}).get("source", "site") != "site":
            return  # the archive and saved pages have what they have
        found = self.account.get("completeness", {})
        missing = found.get("missing", 0)
        self.at_most(MISSING, missing, missing + found.get("stored", 0), "reviews that the site has are missing")

    def test_errors(self) -> None:
        failed, read = self.account.get("requests", {}).get("failed", 0), pages(self.account)
        self.at_most(FAILED, failed, failed + read, "pages failed")

    def test_retries(self) -> None:
        retries = sum(self.account.get("retries", {}).values())
        responses = sum(self.account.get("responses", {}).values())
        self.at_most(RETRIED, retries, max(retries, responses), "requests were retries")

    def test_coverage(self) -> None:
        of, filled = coverage([self.account])
        of_before, filled_before = coverage(self.earlier)
        lost = [
            f"{name} {filled[name] / of[kind]:.0%}, before {number / of_before[kind]:.0%}"
            for name, number in filled_before.items()
            if min(of[kind := name.rpartition("/")[0]], of_before[kind]) >= ENOUGH
            and filled[name] / of[kind] < number / of_before[kind] - COVERAGE
        ]
        if lost:
            self.fail(f"fields that fewer records have than before: {'; '.join(lost)}")

    def test_records_per_page(self) -> None:
        now, before = per_page(self.account), [per_page(account) for account in whole(self.earlier)]
        if before and whole([self.account]) and now < PER_PAGE * fmean(before):
            self.fail(f"{now:.1f} records a page, where the last complete runs had {fmean(before):.1f}")

    def test_amount(self) -> None:
        # What was not read, for it had not changed, counts as met; films that were not due do not.
        now, before = all_due([self.account]), all_due(self.earlier)
        few = [
            f"{number:,} {table.replace('_', ' ')}, where the last complete runs had {mean:,.0f}"
            for account in now
            for table, number in account.get("records", {}).items()
            if before and number < AMOUNT * (mean := fmean(one["records"][table] for one in before))
        ]
        if few:
            self.fail("; ".join(few))

    def at_most(self, limit: float, some: int, of: int, what: str) -> None:
        """Fail where the share of some is above the limit."""
        if some > limit * of:
            self.fail(f"{some:,} of {of:,} {what} ({some / of:.1%}; {limit:.1%} may be)")


def make_suite(settings: BaseSettings) -> MonitorSuite:
    """Put all monitors of a run together, and who is told when one fails."""
    return MonitorSuite(monitors=[RunMonitor], monitors_failed_actions=[Notify(settings)])


def coverage(accounts: list[dict[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """Sum up how many records there are, by layout, page and kind, and how many have each field."""
    of: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for account in accounts:
        for kind, found in account.get("fields", {}).items():
            of[kind] += found["of"]
            filled.update({f"{kind}/{field}": number for field, number in found["filled"].items()})
    return of, filled


def whole(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose the runs that have read all that they met."""
    return [account for account in accounts if not any(account.get("left_out", {}).values())]


def all_due(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose the runs to which all films were due that they were asked for."""
    return [account for account in accounts if not account.get("left_out", {}).get("not_due")]


def pages(account: dict[str, Any]) -> int:
    """Count the pages that were read."""
    return sum(account.get("pages", {}).values())


def per_page(account: dict[str, Any]) -> float:
    """Tell how many records a page gave on average."""
    return float(sum(account.get("records", {}).values()) / max(1, pages(account)))
