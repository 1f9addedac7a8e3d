"""Looks up known vulnerabilities of the locked packages; exits with 1 on any that is not excused."""

import datetime as dt
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
EXCEPTIONS = ROOT / ".ci" / "audit-exceptions.toml"
# Scrapyd's server has all that the program has, and some more; what shows a dataset has an environment of its own.
LOCKS = ("deploy/requirements.lock", "deploy/look/requirements.lock")
COMMAND = (sys.executable, "-m", "pip_audit", "--disable-pip", "--format", "json", "--requirement")
# How pip-audit says that it got no answer; whatever else keeps it from a report is a failure.
NO_ANSWER = re.compile(
    r"ConnectionError|Could not connect|Timeout|temporary failure in name resolution|temporarily unavailable",
    re.IGNORECASE,
)


def audit(report: Sequence[Mapping[str, Any]], exceptions: Sequence[Mapping[str, Any]], today: dt.date) -> list[str]:
    """Tell what is wrong: vulnerabilities that no exception excuses, and exceptions whose time is over."""
    return [
        *(f"{one['package']} {one['id']}: excused until {one['until']}" for one in exceptions if one["until"] < today),
        *(
            f"{package['name']} {package['version']} {found['id']}: {found['description']} (mended in"
            f" {', '.join(found['fix_versions']) or 'no version'})"
            for package in report
            for found in package.get("vulns", [])
            if not excused(package["name"], {found["id"], *found["aliases"]}, exceptions)
        ),
    ]


def excused(package: str, ids: set[str], exceptions: Sequence[Mapping[str, Any]]) -> bool:
    return any(one["package"] == package and one["id"] in ids for one in exceptions)


def unknown(report: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Tell, in a way that nobody takes for success, what nothing was found out about."""
    skipped = [package["name"] for package in report if "vulns" not in package]
    if len(skipped) == len(report):
        yield "NOTHING WAS AUDITED: the advisory service knows none of the packages, or could not be reached."
        yield "Whether they are vulnerable is UNKNOWN. Run this where the service can be reached: docs/dependencies.md"
    elif skipped:
        yield f"NOT AUDITED, {len(skipped)} of {len(report)}: {', '.join(skipped)}"


def ask(lock: str) -> list[dict[str, Any]]:
    """Have pip-audit look up what is in a file; empty where it got no answer."""
    run = subprocess.run([*COMMAND, lock], cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    except json.JSONDecodeError:
        if NO_ANSWER.search(run.stderr):
            return []
        sys.exit(f"pip-audit failed:\n{run.stderr}")
    return found


def main() -> None:
    """Look them up, and say what came of it."""
    reports = {lock: ask(lock) for lock in LOCKS}
    packages = {(one["name"], one.get("version")): one for report in reports.values() for one in report}
    exceptions = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8")).get("exceptions", [])
    wrong = audit([*packages.values()], exceptions, dt.datetime.now(dt.UTC).date())
    lines = [*(f"!!! {lock}: {line}" for lock, report in reports.items() for line in unknown(report)), *wrong]
    print("\n".join(lines or [f"{len(packages)} packages, and no known vulnerability"]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
