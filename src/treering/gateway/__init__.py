"""The gateway: HTTP in, commands out; reads as PostgreSQL tells them. No rule lives here."""

from treering.gateway.app import Gateway
from treering.gateway.building import Parts, build, figures
from treering.gateway.collection import Collection, Table
from treering.gateway.http.guard import Guard
from treering.gateway.http.serving import serve
from treering.gateway.mounting import Mounts

__all__ = [
    "Collection",
    "Gateway",
    "Guard",
    "Mounts",
    "Parts",
    "Table",
    "build",
    "figures",
    "serve",
]
