"""The turns that workers take at a host, and the end of a run."""

import asyncio
from types import SimpleNamespace

import pytest
from scrapy import Request

from metacrawl.frontier.quiet import LeftError, Quiet
from metacrawl.middlewares.politeness import SharedDelayMiddleware


@pytest.mark.parametrize("ends", [False, True])
def test_nothing_is_asked_for_when_the_run_has_ended_while_a_turn_was_taken(ends):
    quiet = Quiet()

    async def write(_turn):
        if ends:
            quiet.end()
        return 0.0, 0.0

    middleware = SharedDelayMiddleware(SimpleNamespace(quiet=quiet, ledger=SimpleNamespace(write=write)), 1.0, {})
    taken = middleware.process_request(Request("http://127.0.0.1/movie/her"))
    if ends:
        with pytest.raises(LeftError):
            asyncio.run(taken)
    else:
        asyncio.run(taken)
