"""States of streams with the version they were folded to, kept for the next command."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import msgspec

from treering.breath import Breath
from treering.decider import Decider
from treering.message import Recorded, Stream, Version
from treering.registry import Registry
from treering.store import Reader


class Held(msgspec.Struct, frozen=True, gc=False):
    """A state, the version it is of, and the rules it obeys."""

    decider: Decider[Any]
    version: Version
    state: Any

    def after(self, recorded: Recorded[Any]) -> "Held":
        """Return what is held after one more event."""
        return Held(self.decider, recorded.version, self.decider.evolve(self.state, recorded))


class States:
    """The least recently used go first. What is kept may be stale: the append finds that out."""

    def __init__(self, reader: Reader, registry: Registry, most: int) -> None:
        self._reader = reader
        self._registry = registry
        self._most = most
        self._held: OrderedDict[Stream, Held] = OrderedDict()

    def keep(self, stream: Stream, held: Held) -> None:
        """Remember *held*, and forget what was not used for longest."""
        self._held[stream] = held
        self._held.move_to_end(stream)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def forget(self, stream: Stream) -> None:
        """Forget what is known of *stream*."""
        self._held.pop(stream, None)

    async def of(self, streams: Iterable[Stream]) -> dict[Stream, Held]:
        """Return the states of *streams*, loading what is not held."""
        found: dict[Stream, Held] = {}
        missing: list[Stream] = []
        for stream in streams:
            if (held := self._held.get(stream)) is not None:
                found[stream] = held
                self._held.move_to_end(stream)
            else:
                missing.append(stream)
        if missing:
            loaded = await folded(self._reader, self._registry, dict.fromkeys(missing))
            for stream, held in loaded.items():
                self.keep(stream, held)
            found |= loaded
        return found


async def folded(
    reader: Reader, registry: Registry, asked: Mapping[Stream, Version | None]
) -> dict[Stream, Held]:
    """Return the states of the streams of *asked*, folded from the store up to a version each."""
    rows = await reader.read_streams([(stream, 0, upto) for stream, upto in asked.items()])
    found = {stream: _initial(registry, stream) for stream in asked}
    breath = Breath()
    for stream, events in groupby(rows, key=lambda row: row.stream):
        held = found[stream]
        for row in events:
            recorded = registry.recorded(row)
            state = held.decider.fold(held.state, [recorded])
            held = Held(held.decider, recorded.version, state)
            await breath.take()
        found[stream] = held
    return found


def _initial(registry: Registry, stream: Stream) -> Held:
    decider = registry.decider_of(stream)
    return Held(decider, 0, decider.initial)
