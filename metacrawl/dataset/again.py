"""Exporting a dataset once more, as it was asked for, after something was removed from the database."""

import json
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from metacrawl.database.datasets import snapshot
from metacrawl.dataset.export import FORMS, publish
from metacrawl.dataset.filters import Filters, read_filters
from metacrawl.dataset.publish import PACKAGE, remove_earlier
from metacrawl.outcome import ConfigError


class About(NamedTuple):
    """What a dataset was asked for."""

    form: str
    filters: Filters


def read_about(folder: Path) -> About:
    """Read it from a dataset's description, or see it from the files of an older one. Raises `ConfigError`."""
    try:
        described = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))["metacrawl"]
        if described["format"] in FORMS:
            return About(described["format"], read_filters(**described["filters"]))
    except FileNotFoundError:
        for form in FORMS:
            if (folder / f"user_reviews.{form}").exists():
                return About(form, Filters())
    except (ValueError, TypeError, LookupError, OSError):
        pass
    raise ConfigError(f"--dataset {folder}: there is no dataset in it")


def export_again(engine: sa.Engine, folder: Path, about: About) -> None:
    """Publish a dataset anew, whole or not, even if nothing is left of it, and leave no version of before.

    Raises as `publish` does.
    """
    with snapshot(engine) as connection:
        publish(connection, folder, about.form, about.filters)
    remove_earlier(folder)
