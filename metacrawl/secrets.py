"""Secrets stand in the environment: everybody on the machine can read a command line, and Scrapy logs what it says."""

import re

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from metacrawl.outcome import ConfigError

# Settings that are secrets whatever they say, ours and others'.
SECRET = re.compile(r"METACRAWL_WEBHOOK_URL|.*(PASS|SECRET|TOKEN|_KEY).*")
# A password in the URL of a database or a server.
PASSWORD = re.compile(r"://[^@]*:.*@|[?&]pass", re.IGNORECASE)


def check_command_line(settings: BaseSettings) -> None:
    """Raise `ConfigError` for a secret that was given with `-s`; it does not tell the value."""
    given = SETTINGS_PRIORITIES["cmdline"]
    # Feeds (`-o`) are settings within a setting, which do not show what they say.
    for name, value in settings.copy_to_dict().items():
        if settings.getpriority(name) == given and (SECRET.fullmatch(name) or PASSWORD.search(str(value))):
            raise ConfigError(
                f"{name} has a secret in it: set it in the environment, for others can read a command line"
            )
