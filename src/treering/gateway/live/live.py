"""All that tells clients what happens: streams and WebSockets, from one tail."""

from collections.abc import Callable, Sequence

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from treering.errors import Refusal
from treering.gateway.collection import Collection
from treering.gateway.http.guard import Guard
from treering.gateway.http.routes import Routes
from treering.gateway.live.offers import Offers
from treering.gateway.live.sockets import Sockets
from treering.gateway.live.streams import Streams
from treering.gateway.live.tail import LiveOptions, Tail
from treering.gateway.positions import Epoch
from treering.reading import ReadModels
from treering.registry import Registry
from treering.store import Reader


class Live:
    """Tells what happens to *collections* and all else, from a *tail*, until it is ended."""

    def __init__(  # noqa: PLR0913 - what a gateway has
        self,
        collections: Sequence[Collection],
        tail: Tail,
        reader: Reader,
        epoch: Epoch,
        registry: Registry,
        read_models: ReadModels,
        *,
        guard: Guard,
        options: LiveOptions,
        most: int,
        patience: float,
    ) -> None:
        self._tail = tail
        self._streams = Streams(tail, epoch, registry, options, guard)
        offers = Offers(
            collections,
            tail,
            reader,
            registry,
            read_models,
            most=most,
            patience=patience,
        )
        self._sockets = Sockets(offers, guard, most=options.backlog_bytes)

    def add_to(self, routes: Routes) -> None:
        """Add the address of streams."""
        self._streams.add_to(routes)

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, enter: Callable[[HTTPConnection], object]
    ) -> None:
        """Serve a WebSocket, if *enter* lets it in."""
        await self._sockets.answer(scope, receive, send, enter)

    def end(self, why: Refusal) -> None:
        """Tell all clients *why* nobody is told any more."""
        self._sockets.end(why)
        self._tail.end(why)
