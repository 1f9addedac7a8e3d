"""Every setting with its reason; the only place that reads the environment.

Settings of our own start with `METACRAWL_`; each can be given in the environment or with `-s`. One that is a secret can
stand in a file instead, which the environment names with `_FILE` behind the setting's name.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from metacrawl import __version__


def secret(name: str, default: str = "") -> str:
    """Read a setting from the environment, or from the file that it names; exits with 2 where that cannot be."""
    given, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not file:
        return default if given is None else given
    if given:
        refuse(f"{name} and {name}_FILE are both set: which one counts?")
    try:
        text = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        refuse(f"{name}_FILE={file} cannot be read: {why}")
    return text or refuse(f"{name}_FILE={file} is empty")


def refuse(why: str) -> NoReturn:
    """Say it before there are commands that could, and exit."""
    print(f"metacrawl: {why}", file=sys.stderr)  # noqa: T201 - there is no log yet, either
    sys.exit(2)


# --- What is what

BOT_NAME = "metacrawl"
SPIDER_MODULES = ["metacrawl.spiders"]
NEWSPIDER_MODULE = "metacrawl.spiders"
COMMANDS_MODULE = "metacrawl.commands"

# --- Our own

# Where records go: an SQLAlchemy URL.
METACRAWL_DATABASE_URL = secret("METACRAWL_DATABASE_URL", "sqlite:///metacrawl.db")
# How many seconds a crawl waits for a database that is away before it stops.
METACRAWL_DATABASE_TIMEOUT = os.environ.get("METACRAWL_DATABASE_TIMEOUT", "60")
# How many seconds after a worker has died others take over what it was at.
METACRAWL_LEASE_SECONDS = os.environ.get("METACRAWL_LEASE_SECONDS", "60")
# How many seconds a run may stand still before it is ended: more than the longest wait, which is 15 minutes.
METACRAWL_STALL_SECONDS = os.environ.get("METACRAWL_STALL_SECONDS", "1800")
# Where the site is: another address for a mirror, or for the demo site.
METACRAWL_SITE_URL = os.environ.get("METACRAWL_SITE_URL", "https://www.metacritic.com")
# Where its back end is, which has the lists of reviews and of films: empty for the site's own, or for a mirror's none.
METACRAWL_API_URL = os.environ.get("METACRAWL_API_URL", "")
# Where the web archive is.
METACRAWL_ARCHIVE_URL = os.environ.get("METACRAWL_ARCHIVE_URL", "https://web.archive.org")
# Who answers for the crawl: a URL or an e-mail address, part of the user agent. Needed for any host but this machine.
METACRAWL_CONTACT = os.environ.get("METACRAWL_CONTACT", "")
# The folder for the records of runs, and for pages that are evidence of what went wrong.
METACRAWL_RUNS = os.environ.get("METACRAWL_RUNS", "runs")
# For how many days such pages are kept; 0 keeps none.
METACRAWL_EVIDENCE_DAYS = os.environ.get("METACRAWL_EVIDENCE_DAYS", "30")
# How often a film is read again that was read to its end: up to which age in days, every how many days (0: each time).
METACRAWL_REVISIT_DAYS = os.environ.get(
    "METACRAWL_REVISIT_DAYS", '{"30": 0, "90": 3, "365": 7, "1825": 30, "older": 90}'
)
# After how many days all of its pages are read at the latest, also those that do not seem to have changed.
METACRAWL_SWEEP_DAYS = os.environ.get("METACRAWL_SWEEP_DAYS", "180")
# What is kept of the names of those who wrote user reviews: keep, pseudonym or drop.
METACRAWL_AUTHORS = os.environ.get("METACRAWL_AUTHORS", "keep")
# What makes pseudonyms that nobody else can make, for both of the last two: a secret, as long as the database lives.
METACRAWL_AUTHORS_KEY = secret("METACRAWL_AUTHORS_KEY")
# Where word of a run that is not well goes: a URL that takes JSON, such as a chat's; it is a secret.
METACRAWL_WEBHOOK_URL = secret("METACRAWL_WEBHOOK_URL")
# The same by e-mail: to whom (several with commas), from whom, and through which server.
METACRAWL_MAIL_TO = os.environ.get("METACRAWL_MAIL_TO", "")
METACRAWL_MAIL_FROM = os.environ.get("METACRAWL_MAIL_FROM", "")
METACRAWL_SMTP_URL = secret("METACRAWL_SMTP_URL")
# What is done when: the file that `scrapy schedule` reads (docs/schedule.md).
METACRAWL_SCHEDULE = os.environ.get("METACRAWL_SCHEDULE", "schedule.toml")
# Where the Scrapyd is that does the schedule's crawls; empty for processes of the scheduler's own.
METACRAWL_SCRAPYD_URL = os.environ.get("METACRAWL_SCRAPYD_URL", "")
# Who may ask it, by the names that Scrapyd itself reads them from.
SCRAPYD_USERNAME = os.environ.get("SCRAPYD_USERNAME", "")
SCRAPYD_PASSWORD = secret("SCRAPYD_PASSWORD")
# Draw a progress bar when standard error is a terminal.
METACRAWL_PROGRESS = os.environ.get("METACRAWL_PROGRESS", "1")

# --- Polite: one request at a time with a second between, and robots.txt obeyed

ROBOTSTXT_OBEY = True  # default False
# By default the whole user agent is looked for in the rules, and with it whatever the contact says.
ROBOTSTXT_USER_AGENT = BOT_NAME
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # default 8
DOWNLOAD_DELAY = 1  # default 0
DOWNLOAD_DELAY_JITTER = 0  # default 0.5: half a second would do at times
# Overridden with the contact behind it when a crawl starts; sites tell us apart by the name.
USER_AGENT = f"metacrawl/{__version__}"
# The web archive answers at most 24 look-ups a minute.
DOWNLOAD_SLOTS = {"cdx": {"concurrency": 1, "delay": 2.6, "jitter": 0}}
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]  # default has 429 and 503 too: asking again at once is rude

# --- Quiet: nothing listens, nothing is trusted that need not be

TELNETCONSOLE_ENABLED = False  # default True: a port that runs any Python
REMOTE_CONTROL_ENABLED = False  # default True: the same over HTTP
COOKIES_ENABLED = False  # default True: the pages are public
DOWNLOAD_VERIFY_CERTIFICATES = True  # default False
# Names that lead to machines of ours are refused; through a proxy, addresses could not be seen.
TWISTED_DNS_RESOLVER = "metacrawl.resolver.PublicResolver"
HTTPPROXY_ENABLED = False  # default True
# Only the web; source=files adds `file` for its own run.
DOWNLOAD_HANDLERS = {"data": None, "file": None, "ftp": None, "s3": None}
REDIRECT_MAX_TIMES = 5  # default 20
DOWNLOAD_TIMEOUT = 30  # default 180: three tries would take nine minutes
DOWNLOAD_MAXSIZE = 5 * 1024 * 1024  # default 1 GiB: parsing takes some 40 times the page's size
MEMUSAGE_LIMIT_MB = 1024  # default none: a crawl takes some 100, and 400 with all that hostile pages can do
DOWNLOAD_WARNSIZE = 2 * 1024 * 1024  # default 32 MiB

# --- Components. The frontier keeps requests in the database, and stores what comes of each in one transaction with its
# end. What its middleware gets is what counts, so it stands outermost. Pipelines: clean, then drop what repeats

SCHEDULER = "metacrawl.frontier.scheduler.FrontierScheduler"
SPIDER_MIDDLEWARES = {"metacrawl.frontier.middleware.FrontierMiddleware": 1}
# The guard before all others; what waits stands next to the network, behind robots.txt and redirects. A page is
# taken for read when nothing else can refuse its answer.
DOWNLOADER_MIDDLEWARES = {
    "metacrawl.middlewares.offsite.OffsiteGuard": 10,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "metacrawl.middlewares.robots.RobotsMiddleware": 100,
    "metacrawl.middlewares.conditional.ConditionalMiddleware": 110,
    "metacrawl.middlewares.retry_after.RetryAfterMiddleware": 840,
    "metacrawl.middlewares.politeness.SharedDelayMiddleware": 980,
}
ITEM_PIPELINES = {
    "metacrawl.pipelines.validate.ValidatePipeline": 100,
    "metacrawl.pipelines.deduplicate.DeduplicatePipeline": 200,
}
EXTENSIONS = {
    "scrapy.extensions.memusage.MemoryUsage": None,
    "metacrawl.extensions.memory.MemoryLimit": 0,
    "metacrawl.frontier.run.Run": 0,
    "metacrawl.extensions.progress.ProgressBar": 100,
    "metacrawl.extensions.watchdog.Watchdog": 100,
    "metacrawl.extensions.traffic.TrafficCounter": 110,
    "metacrawl.extensions.monitoring.Monitoring": 120,
}

# --- The rest

# A film's pages before the next film: a crawl that is cut short has whole films.
DEPTH_PRIORITY = -1  # default 0

LOG_FORMATTER = "metacrawl.log.SafeLog"  # what a site says stays on its line, and acts on no terminal
LOG_LEVEL = "INFO"  # default DEBUG: a line per request and per record
# Scrapy starts that many tasks for a page's records; fewer are faster (measured: 15 to 20 % of a crawl's time).
CONCURRENT_ITEMS = 8  # default 100
FEED_EXPORT_ENCODING = "utf-8"
# A cell that a spreadsheet would run is marked as text.
FEED_EXPORTERS = {"csv": "metacrawl.cells.SafeCsvItemExporter"}
