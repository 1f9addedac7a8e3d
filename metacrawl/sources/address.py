"""The address of a site, as a setting gives it."""

from typing import NamedTuple, Self
from urllib.parse import urlsplit

from w3lib.url import safe_url_string

from metacrawl.outcome import ConfigError

THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class Address(NamedTuple):
    """Where a site is."""

    base_url: str
    """What stands before the path of each of its pages, without a slash at its end."""

    origin: str
    host: str

    @classmethod
    def read(cls, setting: str, url: str, contact: str) -> Self:
        """Read the value of a setting.

        Raises `ConfigError` for one that is none, and for a public one without a `contact`: who runs the site must be
        able to tell who crawls it.
        """
        if "@" in url:
            # It is not told: a password may stand in it.
            raise ConfigError(f"{setting} has an @ in it: pages are read as anybody can, without a user or a password")
        try:
            # As requests write it: a host may have letters beyond ASCII.
            parts = urlsplit(safe_url_string(url))
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port = "", None
        if not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
            raise ConfigError(f"{setting}={url} is no URL of a site")
        if host not in THIS_MACHINE and not contact:
            raise ConfigError(
                f"METACRAWL_CONTACT is not set: {host} must be able to see who crawls it; "
                "set it to a URL or an e-mail address of yours"
            )
        origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
        return cls(origin + parts.path.rstrip("/"), origin, host)

    def has(self, url: str) -> bool:
        """Tell whether a URL is one of this site's."""
        return url == self.base_url or url.startswith((f"{self.base_url}/", f"{self.base_url}?"))

    def is_at(self, url: str) -> bool:
        """Tell whether a URL leads to the server that this site is on."""
        # By its letters: what one parser takes for the host need not be what another one connects to.
        return url.startswith(f"{self.origin}/")
