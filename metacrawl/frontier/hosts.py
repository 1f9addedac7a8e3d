"""When each host may be asked next, by whichever worker, and by those who come later."""

import sqlalchemy as sa

from metacrawl.database.rows import insert
from metacrawl.database.schema import HOSTS
from metacrawl.frontier.queue import Clock

# In seconds. A request leaves a little after its turn, and the next one may be quicker.
SLACK = 0.02
# Seconds of the longest pause: a server that asks for more is asked then whether it still means it.
LONGEST = 30 * 86_400.0
# No turn is so many seconds away beside its delay: one that is was noted by a clock that was wrong.
TOO_FAR = 3600.0


def may_ask(connection: sa.Connection, host: str, slot: str, delay: float) -> tuple[float, float]:
    """Take the turn of a host's slot, if its server does not want a pause.

    Returns for how many seconds more it does, and, if it does not, how many to wait for the turn.
    """
    pause = pause_of(connection, host)
    return pause, 0.0 if pause or not delay else claim(connection, slot, delay)


def hold_back(connection: sa.Connection, host: str, seconds: float) -> None:
    """Note that a host's server wants a pause; a short one does not cut a long one."""
    until = Clock() + seconds
    connection.execute(
        insert(connection, HOSTS)
        .values(host=host, next_at=Clock(), quiet_until=until)
        .on_conflict_do_update(
            index_elements=["host"],
            set_={"quiet_until": until},
            where=sa.or_(
                HOSTS.c.quiet_until.is_(None), HOSTS.c.quiet_until < until, HOSTS.c.quiet_until > Clock() + LONGEST
            ),
        )
    )


def pause_of(connection: sa.Connection, host: str) -> float:
    """Tell for how many seconds more a host's server wants a pause; 0 if it wants none."""
    left = connection.execute(sa.select(HOSTS.c.quiet_until - Clock()).where(HOSTS.c.host == host)).scalar()
    # One that is longer was noted by a clock that was wrong.
    return left if left and 0 < left <= LONGEST + SLACK else 0.0


def claim(connection: sa.Connection, host: str, delay: float) -> float:
    """Take a host's turn, the next one coming `delay` seconds later.

    Returns 0, or how many seconds to wait before asking again if it is not time yet.
    """
    next_at = {"next_at": Clock() + delay + SLACK}
    free = sa.or_(HOSTS.c.next_at <= Clock(), HOSTS.c.next_at > Clock() + delay + TOO_FAR)
    # Not what would be inserted: the statement may have waited for another worker's since it read the clock.
    taken = (
        insert(connection, HOSTS)
        .values(host=host, **next_at)
        .on_conflict_do_update(index_elements=["host"], set_=next_at, where=free)
    )
    if connection.execute(taken.returning(HOSTS.c.host)).scalar() is not None:
        return 0.0
    wait: float = connection.execute(sa.select(HOSTS.c.next_at - Clock()).where(HOSTS.c.host == host)).scalar_one()
    return max(wait, 0.001)
