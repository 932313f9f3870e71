"""One client of `/api/v1/live`: what it says is done in its order, what it is told is sent."""

import asyncio
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from treering import errors, metrics
from treering.errors import Refusal, StoreError
from treering.gateway.http.problem import (
    DatabaseAway,
    Draining,
    ReadModelAway,
    TooSlow,
    Unauthorized,
    Unreadable,
)
from treering.gateway.live.asked import Ping, Subscribe, Unsubscribe, read
from treering.gateway.live.backlog import Backlog
from treering.gateway.live.hiding import hidden_from
from treering.gateway.live.offers import Offers
from treering.gateway.live.subscriptions import Subscription, Telling

_MOST = 100
"""Subscriptions of one client."""
_RESTART, _LATER, _REFUSED, _FAULT = 1012, 1013, 1008, 1011
_LONGEST = 120
"""Bytes of the reason with which a WebSocket is closed."""


class Session:
    """One connection, from its beginning to its end."""

    def __init__(
        self, offers: Offers, scope: Scope, receive: Receive, send: Send, *, most: int
    ) -> None:
        self._offers = offers
        self._hidden = hidden_from(scope)
        self._receive = receive
        self._send = send
        self.backlog = Backlog(most)
        self._telling = Telling(self.backlog, offers.epoch)
        self._subscriptions: dict[str, Subscription] = {}

    def finish(self, why: Refusal) -> None:
        """Say *why* it is over, and end it."""
        self.backlog.finish(why)

    async def run(self) -> None:
        """Go on until one of both ends it."""
        metrics.live.labels("websocket").inc()
        tasks = {asyncio.create_task(self._hear()), asyncio.create_task(self._say())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            metrics.live.labels("websocket").dec()
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in self._subscriptions.values():
                each.leave()

    async def _hear(self) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            named = None
            try:
                asked = _read(message)
                named = None if isinstance(asked, Ping) else asked.id
                await self._do(asked)
            except Refusal as refusal:
                self._telling.problem(named, refusal)
            except errors.ReadModelAway as error:
                self._telling.problem(named, ReadModelAway(str(error)))
            except StoreError:
                away = DatabaseAway("PostgreSQL does not answer; subscribe again.")
                self._telling.problem(named, away)

    async def _do(self, asked: Subscribe | Unsubscribe | Ping) -> None:
        match asked:
            case Subscribe():
                await self._subscribe(asked)
            case Unsubscribe(id=named):
                if (known := self._subscriptions.pop(named, None)) is None:
                    raise Unreadable(f"There is no subscription {named!r} to end.")
                known.leave()
                self._telling.say("unsubscribed", named)
            case Ping():
                self._telling.say("pong", None)

    async def _subscribe(self, asked: Subscribe) -> None:
        if asked.id in self._subscriptions:
            raise Unreadable(f"There is a subscription {asked.id!r} already; take another id.")
        if len(self._subscriptions) >= _MOST:
            raise Unreadable(f"A connection has at most {_MOST} subscriptions; open another.")
        taken: list[str] = []

        def over(named: str) -> None:
            taken.append(named)
            self._subscriptions.pop(named, None)

        made = await self._offers.subscribe(asked, self._telling, over, self._hidden)
        if not taken:
            self._subscriptions[asked.id] = made

    async def _say(self) -> None:
        """Send what there is to say, to the end."""
        while not self.backlog.is_over:
            for piece in await self.backlog.take():
                await self._send({"type": "websocket.send", "text": piece.decode()})
        if (end := self.backlog.end) is not None:
            metrics.live_ended.labels(end.word).inc()
            problem = msgspec.json.encode({"type": "error", "id": None, "problem": end.problem()})
            await self._send({"type": "websocket.send", "text": problem.decode()})
            reason = end.detail.encode()[:_LONGEST].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": _code(end), "reason": reason})


def _read(message: Any) -> Subscribe | Unsubscribe | Ping:
    try:
        return read(message.get("text") or message.get("bytes") or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            f"{error}. Send JSON such as "
            '{"type": "subscribe", "id": "mine", "collection": "configs", "filter": {}}.'
        ) from error


def _code(end: Refusal) -> int:
    match end:
        case Draining():
            return _RESTART
        case TooSlow():
            return _LATER
        case Unauthorized():
            return _REFUSED
        case _:
            return _FAULT
