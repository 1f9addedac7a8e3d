"""Where names lead: to public addresses only, or a page's host could be made to mean a machine of ours."""

import ipaddress
from collections.abc import Sequence

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

# The names that were refused, with the address that each had.
REFUSED: dict[str, str] = {}


class PublicResolver(CachingThreadedResolver):
    """Looks a name up once, and what it gives is what is connected to.

    Other handlers than Scrapy's own for HTTP do not ask it.
    """

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802 - Twisted calls it so
        """Find the address of a name. Fails with `DNSLookupError` for one that is not to be connected to."""
        return super().getHostByName(name, timeout).addCallback(checked, name)


def checked(address: str, name: str) -> str:
    """Give the address of a name. Raises `DNSLookupError` for one that is not to be connected to."""
    if not fits(name, address):
        REFUSED[name] = address
        raise DNSLookupError(f"{name} has the address {address}")
    return address


def fits(name: str, address: str) -> bool:
    """Tell whether a name may have an address.

    >>> fits("www.metacritic.com", "151.101.1.91"), fits("www.metacritic.com", "10.0.0.7")
    (True, False)
    >>> fits("localhost", "127.0.0.1"), fits("10.0.0.7", "10.0.0.7")
    (True, True)
    """
    found = ipaddress.ip_address(address)
    if name == "localhost":
        return found.is_loopback
    # What a person has given as an address is meant.
    return name == address or (found.is_global and not found.is_multicast)
