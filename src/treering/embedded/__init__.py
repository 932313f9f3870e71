"""PostgreSQL and Kafka out of wheels: two real servers, nothing installed, nothing left behind."""

from treering.embedded.options import Addresses, Progress, ServerOptions
from treering.embedded.servers import Servers
from treering.embedded.state import Running, running

__all__ = ["Addresses", "Progress", "Running", "ServerOptions", "Servers", "running"]
