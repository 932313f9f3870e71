"""The gateway: HTTP in, commands out; reads as PostgreSQL tells them. No rule lives here."""

from treering.gateway.app import Gateway, Parts, build, figures
from treering.gateway.collection import Collection
from treering.gateway.http.guard import Guard
from treering.gateway.http.serving import serve
from treering.gateway.mounting import Mounts

__all__ = ["Collection", "Gateway", "Guard", "Mounts", "Parts", "build", "figures", "serve"]
