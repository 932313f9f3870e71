"""`treering dev`: everything on one machine, servers included."""

import asyncio
import os
from pathlib import Path

from treering.dev import announcement
from treering.dev.screen import Screen
from treering.dev.supervisor import Supervisor
from treering.embedded import running
from treering.errors import ServerError
from treering.roots import home_of
from treering.settings import Settings


def dev(
    *,
    reload: bool = False,
    port: int | None = None,
    host: str | None = None,
    kafka: str | None = None,
    database: str | None = None,
    jars: Path | None = None,
) -> int:
    """Run everything in this folder: PostgreSQL, Kafka, and the service beside them.

    What happened is kept in `.treering/` and is there again the next time. Ctrl-C stops it all.

        treering dev --reload

    Args:
        reload: Start the service anew when a Python file changes; the servers go on.
        port: Port of the HTTP gateway; PORT and TREERING_PORT say it too.
        host: Address it listens on; this machine alone unless given.
        kafka: HOST:PORT of a Kafka that is there already; none is started then.
        database: URL of a PostgreSQL that is there already; none is started then.
        jars: A folder with Kafka's jars, for a machine without a network.

    """
    said = {"port": port, "host": host, "kafka": kafka, "database": database, "jars": jars}
    named = {name: value for name, value in said.items() if value is not None}
    found = Settings.read(os.environ)
    settings = Settings.model_validate(found.model_dump(exclude_unset=True) | named)
    _refuse_a_second(settings)
    return asyncio.run(Supervisor(settings, reload=reload, screen=Screen()).run())


def _refuse_a_second(settings: Settings) -> None:
    """Say which one runs in this folder, if one does."""
    home = home_of(settings)
    if (other := running(home)) is None:
        return
    announced = announcement.read(home)
    where = f"serves on {announced.http}" if announced else "is starting"
    raise ServerError(
        f"treering dev runs in {home.parent} already: process {other.pid} {where}. "
        "Use that one, or stop it first."
    )
