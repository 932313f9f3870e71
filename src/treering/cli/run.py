"""`treering run`: roles on servers that are there."""

from typing import Literal

import uvloop

from treering.app.logs import configure
from treering.app.running import run_until_told
from treering.cli import place

type Role = Literal["gateway", "handler", "relay", "projector"]


def run(*roles: Role) -> None:
    """Run one or more roles in this process, on the servers that the settings name.

    SIGTERM lets them finish what they began, within TREERING_DRAIN_SECONDS.

        TREERING_DATABASE=postgresql://… TREERING_KAFKA=kafka:9092 treering run handler relay

    Args:
        roles: gateway, handler, relay, projector; all of them unless given.

    """
    found = place.settings()
    configure(found)
    wanted = roles or ("gateway", "handler", "relay", "projector")
    app = place.loaded(projections=bool({"gateway", "projector"} & set(wanted)))
    uvloop.run(run_until_told(app, wanted))
