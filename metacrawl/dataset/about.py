"""What the descriptions of a dataset say alike, in words."""

import datetime as dt
from collections.abc import Mapping

from metacrawl.dataset.model import Dataset

# The tables of records.
MAIN = ("movies", "critic_reviews", "user_reviews")
LICENCE = "No licence is granted for the content."
RIGHTS = (
    "The licence of metacrawl covers the program, not what it has read. Reviews belong to their authors and to those "
    "who published them, and the terms of the site restrict what may be done with its pages. Whoever publishes or "
    "uses this dataset is answerable for permission."
)
AUTHORS: Mapping[str, str] = {
    "keep": "User reviews have the names that their authors go by on the site: they are personal data.",
    "pseudonym": "Pseudonyms stand for the authors of user reviews, the same for all that an author wrote; "
    "the texts themselves may still tell who wrote them.",
    "drop": "The authors of user reviews are left out; the texts themselves may still tell who wrote them.",
}


def title(dataset: Dataset) -> str:
    """Name it."""
    sites = ", ".join(dataset.sources)
    return f"Films and reviews of {sites}" if sites else "Films and reviews"


def day(time: dt.datetime) -> str:
    return time.strftime("%Y-%m-%d")


def version(dataset: Dataset) -> str:
    """Give it a semantic version: the day, and the time as its build."""
    at = dataset.created_at
    return f"{at.year}.{at.month}.{at.day}+{at:%H%M%S}"


def capture(dataset: Dataset) -> str:
    """Say when the site showed it."""
    if dataset.captured is None:
        return "at an unknown time"
    first, last = map(day, dataset.captured)
    return f"on {first}" if first == last else f"from {first} to {last}"


def completeness(dataset: Dataset) -> str:
    """Say how much of what the site has is there."""
    known = dataset.completeness
    if not known:
        return "Nothing is known of what the site has beyond it."
    verdicts = ", ".join(f"{known.get(verdict, 0):,} {verdict}" for verdict in ("complete", "short", "unknown"))
    return (
        f"Lists of reviews, held against the site's own numbers: {verdicts}; {dataset.missing:,} reviews are missing."
    )


def description(dataset: Dataset) -> str:
    """Say what it is, and before that what it lacks."""
    lacks = [f"This is not a whole dataset: {dataset.partial}."] if dataset.partial else []
    if dataset.filters:
        chosen = ", ".join(f"{name} {value}" for name, value in dataset.filters.items())
        lacks.append(f"This is a part of what was read: {chosen}.")
    return " ".join([*lacks, summary(dataset)])


def summary(dataset: Dataset) -> str:
    """Say how much it is, from when."""
    rows = ", ".join(f"{dataset.rows[name]:,} {name.replace('_', ' ')}" for name in MAIN if name in dataset.rows)
    return f"{rows}. Shown by the site {capture(dataset)}, and read by metacrawl {dataset.version}."


def citation(dataset: Dataset) -> str:
    """Cite the content with its dates, and the program, in BibTeX."""
    at = dataset.created_at
    url = f"\n  url = {{{dataset.sources[0]}}}," if dataset.sources else ""
    return f"""\
@misc{{films_and_reviews_{at:%Y%m%d},
  title = {{{{{title(dataset)}}}}},{url}
  note = {{Shown by the site {capture(dataset)}; the reviews are by their authors}},
  urldate = {{{day(dataset.captured[1] if dataset.captured else at)}}},
}}
@software{{metacrawl,
  title = {{metacrawl}},
  version = {{{dataset.version}}},
}}"""
