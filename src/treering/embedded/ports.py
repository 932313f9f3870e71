"""Ports on 127.0.0.1: free ones, and whether one is."""

import socket
from contextlib import closing

HOST = "127.0.0.1"


def free(preferred: int | None = None, *, but: int | None = None) -> int:
    """Return a free port, *preferred* if it is one, and never *but*."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, preferred or 0))
        except OSError:
            return free(but=but)
        port = int(listener.getsockname()[1])
    return free(but=but) if port == but else port


def is_free(port: int) -> bool:
    """Tell whether a server could listen on *port*."""
    return free(port) == port
