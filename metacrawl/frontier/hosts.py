"""When each host may be asked next, by whichever worker."""

import sqlalchemy as sa

from metacrawl.database.rows import insert
from metacrawl.database.schema import HOSTS
from metacrawl.frontier.queue import Clock

# In seconds. A request leaves a little after its turn, and the next one may be quicker.
SLACK = 0.02


def claim(connection: sa.Connection, host: str, delay: float) -> float:
    """Take a host's turn, the next one coming `delay` seconds later.

    Returns 0, or how many seconds to wait before asking again if it is not time yet.
    """
    next_at = {"next_at": Clock() + delay + SLACK}
    # Not what would be inserted: the statement may have waited for another worker's since it read the clock.
    taken = (
        insert(connection, HOSTS)
        .values(host=host, **next_at)
        .on_conflict_do_update(index_elements=["host"], set_=next_at, where=HOSTS.c.next_at <= Clock())
    )
    if connection.execute(taken.returning(HOSTS.c.host)).scalar() is not None:
        return 0.0
    wait: float = connection.execute(sa.select(HOSTS.c.next_at - Clock()).where(HOSTS.c.host == host)).scalar_one()
    return max(wait, 0.001)
