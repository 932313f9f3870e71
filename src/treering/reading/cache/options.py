"""What a cache is made of: this process's memory, and perhaps one that gateways share."""

from dataclasses import dataclass
from typing import Protocol

from treering.reading.cache.entry import Entry
from treering.reading.cache.memory import Memory


class Shared(Protocol):
    """A cache that several processes share; one that is away is as good as empty."""

    async def get(self, address: str) -> Entry | None:
        """Return the entry there."""
        ...

    async def put(self, address: str, entry: Entry, seconds: float) -> bool:
        """Keep *entry* for so long, in one step; False if a newer one is there."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Where answers are kept, and for how many seconds unless a read model says otherwise."""

    memory: Memory
    shared: Shared | None = None
    seconds: float = 60
