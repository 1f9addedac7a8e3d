"""A spider that asks for one page after another, by whatever middlewares the settings name."""

import scrapy


class AskingSpider(scrapy.Spider):
    name = "asking"

    def __init__(self, urls):
        super().__init__()
        self.start_urls = urls.split()

    def parse(self, response):
        """Do nothing with a page."""
