"""Lets `scrapyd-deploy` build the egg by pyproject.toml: without this file it writes one of its own, which has less."""

from setuptools import setup

setup()
