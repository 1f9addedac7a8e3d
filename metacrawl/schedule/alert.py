"""Word of a job that did not end well, by the ways that word of a crawl goes."""

import datetime as dt
from collections.abc import Sequence

from scrapy.settings import BaseSettings

from metacrawl.items import iso_timestamp
from metacrawl.notify import for_chat, tell
from metacrawl.outcome import Outcome
from metacrawl.schedule.model import Result


def outcome_of(results: Sequence[tuple[str, Result]]) -> tuple[Outcome, str]:
    """Tell how a job ended, by what became of its commands: as the first that is not complete."""
    for command, result in results:
        if result.outcome is not Outcome.COMPLETE:
            return result.outcome, f"{command}: {result.message}"
    return Outcome.COMPLETE, ""


def alert(settings: BaseSettings, name: str, due_at: dt.datetime, results: Sequence[tuple[str, Result]]) -> None:
    """Tell whoever is set how a job ended, and each of its commands."""
    outcome, why = outcome_of(results)
    subject = f"metacrawl: job {name} ended as {outcome.label}"
    steps = [
        {"command": command, "outcome": result.outcome.label, "message": result.message}
        | ({} if result.outcome is Outcome.COMPLETE else {"runbook": f"docs/runbook.md#outcome-{result.outcome.label}"})
        for command, result in results
    ]
    job = {"name": name, "due_at": iso_timestamp(due_at), "outcome": outcome.label}
    lines = [
        f"{step['command']}\n  {step['outcome']}: {step['message']}\n  {step.get('runbook', '')}".rstrip()
        for step in steps
    ]
    content = {"text": for_chat(f"{subject}; {why}"), "job": job, "steps": steps}
    tell(settings, content, subject, "\n".join([f"{subject}, due at {job['due_at']}", "", *lines, ""]))
