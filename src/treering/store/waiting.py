"""Requests that wait to be appended: who waits for each, and which of them may go together."""

import asyncio
from collections import deque
from dataclasses import dataclass

from treering.errors import StoreError
from treering.store.page import PAGE_BYTES
from treering.store.request import Answer, Request

_MOST = 2000
"""Events, and requests, of one call."""
_SCANNED = 3 * _MOST
"""Requests that are looked at for one call when many want the same stream."""

type Result = Answer | StoreError


class Caller:
    """Waits for the answers to all that it asked for."""

    def __init__(self, asked: int) -> None:
        self.all: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._found: dict[int, Result] = {}
        self._asked = asked

    def told(self, place: int, result: Result) -> None:
        """Take the answer to what it asked for at *place*; the first one stands."""
        self._found.setdefault(place, result)
        if len(self._found) == self._asked and not self.all.done():
            self.all.set_result([self._found[place] for place in range(self._asked)])


@dataclass(slots=True, eq=False)
class Waiting:
    """A request, what it touches (streams, command ids, keys), and who waits for its answer."""

    request: Request
    names: list[str]
    shares: list[str]
    """What it must find as it is, as others may too: the names that it refers to."""
    size: int
    """Characters of its events."""
    caller: Caller
    place: int

    def settle(self, result: Result) -> None:
        """Tell the caller."""
        self.caller.told(self.place, result)


def queued(request: Request, caller: Caller, place: int) -> Waiting:
    """Return *request*, which *caller* has asked for at *place*, ready to be taken."""
    size = sum([len(entry.body) for entry in request.entries])
    return Waiting(request, _names(request), _shares(request), size, caller, place)


def take(queue: deque[Waiting]) -> list[Waiting]:
    """Take requests that share nothing, in order; one that does waits for the next call."""
    batch: list[Waiting] = []
    left: list[Waiting] = []
    seen: set[str] = set()
    shared: set[str] = set()
    events = characters = 0
    while (
        queue
        and events < _MOST
        and characters < PAGE_BYTES
        and len(batch) < _MOST
        and len(left) < _SCANNED
    ):
        each = queue.popleft()
        if each.caller.all.done():
            continue
        names, shares = each.names, each.shares
        if seen.isdisjoint(names) and shared.isdisjoint(names) and seen.isdisjoint(shares):
            batch.append(each)
            events += len(each.request.entries)
            characters += each.size
        else:
            left.append(each)
        seen.update(names)
        if shares:
            shared.update(shares)
    queue.extendleft(reversed(left))
    return batch


def _names(request: Request) -> list[str]:
    """Return the streams, command ids and keys that a request touches; a key is led by `=`."""
    names = [stand.stream for stand in request.stands]
    names += [ruling.verdict.id for ruling in request.rulings]
    if request.taken or request.released:
        names += [f"={key.key}" for key in request.taken]
        names += [f"={key.key}" for key in request.released]
    return names


def _shares(request: Request) -> list[str]:
    """Return the names that a request refers to, or refers to no longer, led by `=`."""
    if request.made or request.dropped:
        return [f"={each.parent}" for each in (*request.made, *request.dropped)]
    return []
