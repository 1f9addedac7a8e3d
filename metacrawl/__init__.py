"""Crawl the films of Metacritic into clean, typed records."""

__version__ = "0.1.0"
