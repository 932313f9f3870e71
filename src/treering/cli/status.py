"""`treering status`: what runs, where, how far it is, and what it takes."""

import asyncio
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import msgspec

from treering.app import App
from treering.app.standing import Standing, standing
from treering.cli import place
from treering.cli.output import say, show, table
from treering.embedded import Servers
from treering.errors import TreeringError

NOT_ALL_WELL = 1


async def status(*, json: bool = False) -> int:
    """Say what runs, where it is reached, how far it is, and what it takes on the disk.

    Ends with 0 when everything answers, 1 when something does not or nothing runs.

        treering status --json

    Args:
        json: Print JSON; the addresses are `http`, `kafka` and `database`.

    """
    app = place.loaded(projections=True)
    running = place.beside(app)
    found: dict[str, Any] = {
        "service": app.service.id,
        "namespace": app.namespace,
        "running": running is not None,
        "http": running.http if running else None,
        "kafka": app.settings.kafka,
        "database": app.settings.database_owner or app.settings.database,
        "processes": running.processes if running else {},
        "sizes": Servers(app.home).sizes(),
    }
    is_named = bool(app.settings.kafka or app.settings.database)
    found |= await _standing(app) if is_named else {"error": f"Nothing runs in {app.home.parent}."}
    if running:
        found["roles"] = {"gateway": {"state": await _health(running.http)}, **found["roles"]}
    if json:
        show(found)
    else:
        _tell(found)
    return NOT_ALL_WELL if found["error"] else 0


async def _standing(app: App) -> dict[str, Any]:
    """Return how far everything is; what went wrong if that can not be said."""
    try:
        async with place.reader(app) as reader:
            found = await standing(app, reader, place.kafka(app))
    except TreeringError as error:
        return {"error": str(error), "roles": {}}
    return {"error": None, "position": found.position, "roles": _roles(found)}


def _roles(found: Standing) -> dict[str, Any]:
    return {
        "handler": {"waiting": found.waiting, "parked": found.parked},
        "relay": {"position": found.sent, "lag": found.unsent},
        "projector": {
            "lag": max((each.lag for each in found.read_models), default=0),
            "read_models": {
                each.name: {
                    "state": each.state,
                    "position": each.position,
                    "lag": each.lag,
                    "going": each.going,
                }
                for each in found.read_models
            },
        },
    }


def _waiting(waiting: int, parked: int) -> str:
    more = f", {parked} more for a newer handler" if parked else ""
    return f"{waiting} commands wait{more}"


async def _health(http: str) -> str:
    try:
        return await asyncio.to_thread(_asked, http)
    except (OSError, HTTPException, msgspec.DecodeError):
        return "does not answer"


def _asked(http: str) -> str:
    asking = HTTPConnection(urlsplit(http).netloc, timeout=3)
    try:
        asking.request("GET", "/health")
        said: dict[str, Any] = msgspec.json.decode(asking.getresponse().read())
        return str(said.get("status", "unknown"))
    finally:
        asking.close()


def _tell(found: Mapping[str, Any]) -> None:
    say(f"{found['service']} ({'running' if found['running'] else 'not running here'})\n")
    places = [(name, found[name]) for name in ("http", "kafka", "database") if found[name]]
    sizes = [(f"{name} on disk", f"{size / 2**20:.0f} MB") for name, size in found["sizes"].items()]
    table(("", ""), [*places, *sizes])
    if found["error"]:
        say(f"\n{found['error']}")
        return
    roles = found["roles"]
    rows = [
        *((("gateway", roles["gateway"]["state"]),) if "gateway" in roles else ()),
        ("handler", _waiting(**roles["handler"])),
        ("relay", f"{roles['relay']['lag']} of {found['position']} events are not on Kafka yet"),
        *(
            (f"read model {name}", _read_model(each))
            for name, each in roles["projector"]["read_models"].items()
        ),
    ]
    say("")
    table(("", ""), rows)


def _read_model(found: Mapping[str, Any]) -> str:
    coming = f" ({found['going']})" if found["going"] else ""
    return f"{found['state']}, {found['lag']} events behind{coming}"
