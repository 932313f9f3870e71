"""What streams would hold by other rules, worked out in two tables that one session alone has."""

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from itertools import batched
from typing import Any

import asyncpg

from treering.errors import RulesBroken
from treering.message import Position, Stream, kind_of
from treering.registry import Registry
from treering.rulebook import Holding
from treering.sql import statement
from treering.store.reader import stored_of

_STREAMS = 500
"""Streams that are folded in one transaction, one after the other."""
_ROWS = 200
"""Events that are fetched at once."""
_SHOWN = 20
_LATEST = 2**31 - 1


class Staging:
    """Keys and references of the streams of some kinds, to be written down or forgotten.

    *held* are the kinds whose streams hold something until now.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        registry: Registry,
        kinds: Collection[str],
        held: Collection[str],
    ) -> None:
        self.streams = 0
        """How many streams have been folded."""
        self._connection = connection
        self._registry = registry
        self._book = registry.rulebook
        self._kinds = sorted(kinds)
        self._folded = self._book.bound.intersection(kinds)
        """Those of the kinds whose streams will hold anything at all."""
        self._new = sorted(self._folded.difference(held))
        """Those whose streams hold nothing yet, so that nobody else writes what they will hold."""
        self._is_begun = False
        self.again: dict[Stream, None] = {}
        """The streams that have changed since it was begun to write, whatever their kind."""

    async def fill(self) -> None:
        """Fold all streams, in constant memory."""
        await self._connection.execute(statement("rule_begin"))
        for kind in sorted(self._folded):
            last = f"{kind}/"
            while streams := await self._column("rule_streams", last, f"{kind}0", _STREAMS):
                await self._stage(streams)
                last = streams[-1]
        await self._connection.execute(statement("rule_index"))

    async def changed(self, position: Position) -> list[Stream]:
        """Return the streams that have changed since *position*, whatever their kind."""
        return await self._column("rule_changed", position)

    async def fill_again(self, streams: Sequence[Stream]) -> None:
        """Fold those of *streams* again that matter."""
        if self._is_begun:
            self.again |= dict.fromkeys(streams)
        for some in batched([each for each in streams if kind_of(each) in self._folded], _STREAMS):
            # What else is held is written under the head alone, or we would wait for each other.
            if self._is_begun and (mine := [each for each in some if kind_of(each) in self._new]):
                await self._connection.execute(statement("rule_take_back_keys"), mine)
                await self._connection.execute(statement("rule_take_back_references"), mine)
            await self._connection.execute(statement("rule_forget_keys"), some)
            await self._connection.execute(statement("rule_forget_references"), some)
            await self._stage(some)

    async def require_unbroken(self, streams: Sequence[Stream] | None = None) -> None:
        """Raise RulesBroken if two hold one key or somebody names what is not there.

        What is not about *streams* is left out, if there are any given.
        """
        twice = await self._connection.fetch(statement("rule_twice"), streams)
        missing = await self._connection.fetch(statement("rule_missing"), streams, self._kinds)
        if twice or missing:
            count = sum(rows[0]["broken"] for rows in (twice, missing) if rows)
            raise RulesBroken(count, [*_twice(twice), *_missing(missing)][:_SHOWN])

    async def begin_to_write(self) -> None:
        """Write down what nobody else would: it takes long, and nobody has to wait for it."""
        self._is_begun = True
        for name in ("rule_add_keys", "rule_add_references"):
            await self._connection.execute(statement(name), self._new)

    async def write(self) -> None:
        """Have the streams hold what was worked out, and nothing else; after `begin_to_write`."""
        if others := sorted(set(self._kinds).difference(self._new)):
            for action in ("drop", "add"):
                await self._connection.execute(statement(f"rule_{action}_keys"), others)
                await self._connection.execute(statement(f"rule_{action}_references"), others)
        for name in ("rule_add_changed_keys", "rule_add_changed_references"):
            await self._connection.execute(statement(name), [*self.again])

    async def _column(self, name: str, *values: Any) -> list[str]:
        return [row[0] for row in await self._connection.fetch(statement(name), *values)]

    async def _stage(self, streams: Sequence[Stream]) -> None:
        """Note what *streams* hold by the rules that are declared."""
        keys: list[tuple[str, str]] = []
        references: list[tuple[str, str, str]] = []
        async with self._connection.transaction(), aclosing(self._held(streams)) as found:
            async for held, stream in found:
                keys += [(key, stream) for key in held.keys]
                references += [(each.parent, each.child, each.field) for each in held.references]
        copy = self._connection.copy_records_to_table
        await copy("found_key", records=keys)
        await copy("found_reference", records=references)
        self.streams += len(streams)

    async def _held(self, streams: Sequence[Stream]) -> AsyncGenerator[tuple[Holding, Stream]]:
        """Yield what each of *streams* holds; events are fetched a few at a time."""
        asked = (streams, [0] * len(streams), [_LATEST] * len(streams))
        stream, version = streams[0], 0
        decider = self._registry.decider_of(stream)
        state = decider.initial
        async for row in self._connection.cursor(statement("read_streams"), *asked, prefetch=_ROWS):
            recorded = self._registry.recorded(stored_of(row))
            if recorded.stream != stream:
                yield self._book.held(stream, decider, version, state), stream
                stream, decider = recorded.stream, self._registry.decider_of(recorded.stream)
                state = decider.initial
            state, version = decider.fold(state, [recorded]), recorded.version
        yield self._book.held(stream, decider, version, state), stream


def _twice(rows: Iterable[Any]) -> Iterator[str]:
    """Yield a line for each key that several streams would hold."""
    for row in rows:
        more = row["count"] - len(row["streams"])
        others = f" and {more} more" if more else ""
        yield f"{row['key']}: {', '.join(row['streams'])}{others}"


def _missing(rows: Iterable[Any]) -> Iterator[str]:
    """Yield a line for each field that would name what is not there."""
    for row in rows:
        yield f"{row['child']}: {row['field']} names {row['parent']}, which is not there"
