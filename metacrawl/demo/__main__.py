"""The command `python -m metacrawl.demo`: serves the demo site until it is stopped."""

import argparse
import contextlib
import signal
import sys
from threading import Event

from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite

PORT_IN_USE = 2


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m metacrawl.demo",
        description="Serve invented films in the page structure of Metacritic, on this machine only, until Ctrl-C.",
    )
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1; 0 takes a free one (default 8000)")
    parser.add_argument("--seed", type=int, default=2016, help="another seed invents other films (default 2016)")
    arguments = parser.parse_args()

    world = build_world(arguments.seed)
    for number in (signal.SIGINT, signal.SIGTERM):
        # both end the wait below, also where a shell has started the process with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt), DemoSite(world, port=arguments.port) as site:
            sys.stdout.write(
                f"Demo site: {site.url}/ ({len(world.films)} films, {world.critic_review_count:,} critic reviews, "
                f"{world.user_review_count:,} user reviews). Ctrl-C stops it.\n"
            )
            sys.stdout.flush()
            Event().wait()
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"Port {arguments.port} cannot be used: {error}\n")
        return PORT_IN_USE
    return 0


if __name__ == "__main__":
    sys.exit(main())
