"""What happens, as it happens: one look at the store, told to all who want to know."""

from treering.gateway.live.live import Live
from treering.gateway.live.streams import EVENT_STREAM
from treering.gateway.live.tail import LiveOptions, Tail

__all__ = ["EVENT_STREAM", "Live", "LiveOptions", "Tail"]
