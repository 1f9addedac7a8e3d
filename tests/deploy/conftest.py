"""Eggs of the program, and a Scrapyd that runs them."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.scrapyd import Scrapyd, build_egg


@pytest.fixture(scope="session")
def egg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as an egg."""
    return build_egg(tmp_path_factory.mktemp("egg"))


@pytest.fixture(scope="module")
def database(postgres) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL, for all tests of a module."""
    name = f"test_{secrets.token_hex(8)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(scope="module")
def scrapyd(database, egg, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrapyd]:
    """A Scrapyd that has the program, and whose crawls store in `database`."""
    with Scrapyd(tmp_path_factory.mktemp("scrapyd"), egg, METACRAWL_DATABASE_URL=database) as server:
        yield server
