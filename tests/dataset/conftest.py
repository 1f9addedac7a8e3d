"""Datasets of the demo site's films, in each form."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from metacrawl.database.connection import connect
from metacrawl.dataset.export import export
from tests import datasets


@pytest.fixture(scope="session")
def demo_records(demo_database):
    """What is in the datasets."""
    return demo_database[1]


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory):
    """A database, and the records in it."""
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'metacrawl.db'}")
    yield engine, datasets.store(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def demo_dataset(demo_database, tmp_path_factory) -> Callable[[str], Path]:
    """Gives a dataset in a form."""

    @cache
    def exported(form: str) -> Path:
        folder = tmp_path_factory.mktemp("datasets") / form
        export(demo_database[0], folder, form)
        return folder

    return exported
