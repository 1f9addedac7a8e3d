"""The command `python -m metacrawl.demo`: serves the demo site until it is stopped."""

import argparse
import contextlib
import signal
import sys
from threading import Event

from metacrawl.demo.content import build_world
from metacrawl.demo.designs import MAKERS
from metacrawl.demo.site import TODAY, DemoSite

PORT_IN_USE = 2


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m metacrawl.demo",
        description="Serve invented films in the page structure of Metacritic, on this machine only, until Ctrl-C.",
    )
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1; 0 takes a free one (default 8000)")
    parser.add_argument("--seed", type=int, default=2016, help="another seed invents other films (default 2016)")
    parser.add_argument(
        "--design", choices=list(MAKERS), default=TODAY, help="the site's page design (default: %(default)s)"
    )
    arguments = parser.parse_args()

    world = build_world(arguments.seed)
    for number in (signal.SIGINT, signal.SIGTERM):
        # both end the wait below, also where a shell has started the process with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    site = DemoSite(world, port=arguments.port, design=arguments.design)
    try:
        with contextlib.suppress(KeyboardInterrupt), site:
            sys.stdout.write(
                f"Demo site: {site.url}/ ({len(world.films)} films, {world.critic_review_count:,} critic reviews, "
                f"{world.user_review_count:,} user reviews) in the design of {site.design}. Ctrl-C stops it.\n"
                "To crawl it from another terminal:\n"
                f"export METACRAWL_SITE_URL={site.url} METACRAWL_API_URL={site.api_url} "
                f"METACRAWL_ARCHIVE_URL={site.archive_url}\n"
            )
            sys.stdout.flush()
            Event().wait()
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"Port {arguments.port} cannot be used: {error}\n")
        return PORT_IN_USE
    return 0


if __name__ == "__main__":
    sys.exit(main())
