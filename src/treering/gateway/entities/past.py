"""The past of one entity: its versions, what differs between two, and how it was at some time."""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.breath import Breath
from treering.entity.validation import fault, invalid, stamp
from treering.errors import UnknownMessage
from treering.gateway.collection import Collection
from treering.gateway.http.problem import ReleaseTooOld
from treering.gateway.http.query import Parser, parsed, whole
from treering.gateway.http.routes import Routes
from treering.message import Erased, Position, Recorded, Version
from treering.query import KINDS
from treering.registry import Registry
from treering.store import Reader

type Shown = Mapping[str, Any]

_LAST = 2**31 - 1
_ENDLESS = 2**63 - 1
_NEVER = datetime.max.replace(tzinfo=UTC)
_FEW = 20
_PAGE = 100
"""Events that are read at once."""
_HISTORY: Mapping[str, Parser] = {"after": whole(0, _LAST), "size": whole(1, 100)}
_DIFF: Mapping[str, Parser] = {"from": whole(0, _LAST), "to": whole(1, _LAST)}
_TOLD_APART = ("updated_at",)
"""Differs between any two versions, so that nobody has to be told."""
_encode = msgspec.json.Encoder().encode


class Past:
    """GET of `$history` and `$diff` of one entity, and of the entity as it was."""

    def __init__(self, collection: Collection, reader: Reader, registry: Registry) -> None:
        self._collection = collection
        self._reader = reader
        self._registry = registry

    def add_to(self, routes: Routes) -> None:
        """Add the addresses that are read."""
        path = f"{self._collection.path}/{{id}}"
        routes.add("GET", f"{path}/$history", self.history)
        routes.add("GET", f"{path}/$diff", self.diff)

    async def history(self, request: Request) -> Response:
        """Answer with versions, the oldest first: who made them, when, and what they changed."""
        named = self._collection.id_in_path(request.path_params["id"])
        query = parsed(request.scope["query_string"], _HISTORY)
        after, size = query.get("after", 0), query.get("size", _FEW)
        items: list[Shown] = []
        before: Shown | None = None
        following = None
        async for recorded, now in self._versions(named):
            if recorded.version > after + size:
                following = after + size
                break
            if recorded.version > after:
                items.append(told(recorded, before, now))
            before = now
        return _answer({"items": items, "size": size, "next": following})

    async def diff(self, request: Request) -> Response:
        """Answer with the fields that differ between two versions; `to` is the newest unless said.

        Version 0 is before there was anything.
        """
        named = self._collection.id_in_path(request.path_params["id"])
        query = parsed(request.scope["query_string"], _DIFF)
        to: int = query.get("to", _LAST)
        start: int | None = query.get("from")
        if start is not None and start > to:
            word = "Is the later one; say the earlier version in from"
            raise invalid([fault(("query", "from"), "wrong_parameter", word, start)])
        newest = 0
        sides: list[Shown | None] = [None, None]
        """The version to begin with, and the last one that was read."""
        async for recorded, now in self._versions(named):
            if start is None or newest == start:
                sides[0] = sides[1]
            sides[1], newest = now, recorded.version
            if newest >= to:
                break
        if start is None:
            start = newest - 1
        for name, version in (("from", start), ("to", query.get("to", newest))):
            if version > newest:
                word = f"There is no version {version}; the newest is {newest}"
                raise invalid([fault(("query", name), "wrong_parameter", word, version)])
        earlier = sides[1] if start == newest else sides[0]
        return _answer({"from": start, "to": newest, "changes": changes(earlier, sides[1])})

    async def as_of(self, named: str, said: str) -> tuple[Shown, Version]:
        """Return the entity as it was at a position or at a time, and its version then.

        Raises NotFound if it was not there, InvalidBody if *said* is neither, or is yet to come.
        """
        upto, moment = await self._moment(said)
        shown: Shown | None = None
        version = 0
        async for recorded, now in self._versions(named):
            if recorded.position > upto or recorded.recorded_at > moment:
                break
            shown, version = now, recorded.version
        if shown is None:
            raise self._collection.missing(named)
        return shown, version

    async def _moment(self, said: str) -> tuple[Position, datetime]:
        """Return the last position and the last time that count."""
        loc = ("query", "as_of")
        if said.isascii() and said.isdigit() and len(said) < 20:
            head = (await self._reader.head()).position
            if int(said) <= head:
                return int(said), _NEVER
            word = f"Is a position to come; the store stands at {head}"
        else:
            try:
                return _ENDLESS, KINDS["moment"].spelled(said)
            except ValueError:
                word = "Is no position, and no moment such as 2025-01-31T12:00:00Z"
        raise invalid([fault(loc, "wrong_parameter", word, said)])

    async def _versions(self, named: str) -> AsyncGenerator[tuple[Recorded[Any], Shown | None]]:
        """Yield each event of the entity with what it was after that; raises NotFound if none is.

        A page is read at a time, and others have their turn.
        """
        stream = f"{self._collection.kind}/{named}"
        decider = self._registry.decider_of(stream)
        state, last, breath = decider.initial, 0, Breath()
        while page := await self._reader.read_stream(stream, after=last, upto=last + _PAGE):
            for stored in page:
                try:
                    recorded = self._registry.recorded(stored)
                except UnknownMessage as error:
                    raise ReleaseTooOld(str(error)) from error
                state = decider.fold(state, [recorded])
                yield recorded, decider.represent(stream, state)
                await breath.take()
            last = page[-1].version
        if not last:
            raise self._collection.missing(named)


def told(recorded: Recorded[Any], before: Shown | None, now: Shown | None) -> Shown:
    """Return who made a version, when, and what it changed of what was *before*."""
    said = {
        "version": recorded.version,
        "position": recorded.position,
        "type": recorded.type,
        "recorded_at": stamp(recorded.recorded_at.astimezone(UTC)),
        "actor": recorded.actor,
        "command": recorded.causation,
        "correlation": recorded.correlation,
    }
    if isinstance(recorded.event, Erased):
        return {**said, "is_erased": True}
    return {**said, "changes": changes(before, now)}


def changes(before: Shown | None, now: Shown | None) -> Mapping[str, Mapping[str, Any]]:
    """Return what each field was and is, where that differs; a field that is not there has none."""
    sides = {"before": before or {}, "after": now or {}}
    names = {name: None for shown in sides.values() for name in shown if name not in _TOLD_APART}
    found: dict[str, Mapping[str, Any]] = {}
    for name in names:
        told = {side: shown[name] for side, shown in sides.items() if name in shown}
        if len({_encode(value) for value in told.values()}) > 1 or len(told) == 1:
            found[name] = told
    return found


def _answer(body: object) -> Response:
    return Response(_encode(body), media_type="application/json")
