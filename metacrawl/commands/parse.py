"""`scrapy parse`: what a page gives, shown and nowhere kept."""

import argparse

from scrapy.commands import parse


class Command(parse.Command):
    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Take the page's request from the command, not from a frontier."""
        super().process_options(args, opts)
        assert self.settings is not None
        self.settings.set("SCHEDULER", "scrapy.core.scheduler.Scheduler", priority="cmdline")
        self.settings.set("SPIDER_MIDDLEWARES", {}, priority="cmdline")
        self.settings.set("EXTENSIONS", {}, priority="cmdline")
        # Scrapy's own limit goes by what the process that started this one had.
        self.settings.set("MEMUSAGE_ENABLED", "False", priority="cmdline")
