"""Who PostgreSQL runs as: it refuses to be root, so root lends it the account `nobody`.

Nothing on the machine is changed for that, no user is made and no folder opened: where `nobody`
can not pass a folder on the way (a checkout under root's home), the server keeps the one
capability to do so. Only the data and the socket's folder belong to `nobody`.
"""

import os
import pwd
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from treering.embedded.process import Account
from treering.errors import ServerError

NOBODY = "nobody"


def lent(paths: Iterable[Path]) -> Account | None:
    """Return whom a server that must not be root runs as to use *paths*; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NOBODY)
    except KeyError as error:
        raise ServerError(
            f"PostgreSQL refuses to run as root and there is no account {NOBODY!r} to lend it: "
            "start treering as another user, or name a server with --database URL."
        ) from error
    closed = [path for path in paths if not _is_passable(path)]
    if closed and sys.platform != "linux":
        raise ServerError(
            f"PostgreSQL refuses to run as root, and {NOBODY} can not enter {closed[0]}."
        )
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, reach=bool(closed))


def give(path: Path, account: Account | None) -> None:
    """Make *path*, a folder that was just made, the account's own."""
    path.chmod(0o700)
    if account:
        os.chown(path, account.uid, account.gid)


def _is_passable(path: Path) -> bool:
    absolute = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in absolute.parents) and bool(
        not absolute.exists() or absolute.stat().st_mode & stat.S_IXOTH
    )
