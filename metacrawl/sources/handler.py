"""How Scrapy reads saved pages: through the source that knows which were named."""

import asyncio

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from metacrawl.sources.files import FilesSource
from metacrawl.spiders.base import film_spider


class SavedPageHandler(BaseDownloadHandler):
    """Reads the files, and the places in files, that the crawl was asked for, and nothing else."""

    async def download_request(self, request: Request) -> Response:
        """Read a page as it was saved. Raises `IgnoreRequest` for a file that nobody has named."""
        source = film_spider(self.crawler).source
        if not isinstance(source, FilesSource):
            raise IgnoreRequest("this crawl reads no files")
        try:
            body = await asyncio.to_thread(source.load, request.url)
        except KeyError:
            raise IgnoreRequest("this file was not asked for") from None
        # Of no special class: what stands in the page, such as a redirect, is not for Scrapy to act on.
        return Response(request.url, body=body)
