"""A name that used to lead elsewhere, and leads to this machine now."""

from scrapy.resolver import CachingThreadedResolver, dnscache

from metacrawl.resolver import PublicResolver


class RebindingResolver(PublicResolver):
    """Ours."""

    def install_on_reactor(self):
        super().install_on_reactor()
        dnscache["rebound.invalid"] = "127.0.0.2"


class StockRebindingResolver(CachingThreadedResolver):
    """Scrapy's own."""

    def install_on_reactor(self):
        super().install_on_reactor()
        dnscache["rebound.invalid"] = "127.0.0.2"
