"""The site's page designs through the years, each by the name of the year in which it came."""

from collections.abc import Callable, Mapping

from metacrawl.demo.designs.design import Design
from metacrawl.demo.designs.design_2010 import Design2010
from metacrawl.demo.designs.design_2016 import Design2016
from metacrawl.demo.designs.design_2023 import Design2023
from metacrawl.demo.designs.design_2026 import Design2026
from metacrawl.demo.world import World

MAKERS: Mapping[str, Callable[[World], Design]] = {
    "2010": Design2010,
    "2016": Design2016,
    "2023": Design2023,
    "2026": Design2026,
}


def designs(world: World) -> Mapping[str, Design]:
    """Make each design of a world's pages, the oldest first."""
    return {name: make(world) for name, make in MAKERS.items()}


__all__ = ["Design", "designs"]
