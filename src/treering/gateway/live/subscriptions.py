"""What one client of a WebSocket has asked to be told: each subscription with a name of its own."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from treering.errors import Refusal
from treering.gateway.live.backlog import Backlog
from treering.gateway.live.entities import Entities
from treering.gateway.live.tail import Tail
from treering.gateway.live.told import Told
from treering.gateway.live.wish import Wish
from treering.message import Position
from treering.query import Matches

_encode = msgspec.json.Encoder().encode


class Subscription(Protocol):
    """One thing to be told of."""

    def leave(self) -> None:
        """Be told no more."""
        ...


class Telling:
    """Writes messages for one client, each under the name of a subscription, into its *backlog*."""

    def __init__(self, backlog: Backlog, epoch: Callable[[], str]) -> None:
        self._backlog = backlog
        self._epoch = epoch

    def token(self, position: Position) -> bytes:
        """Return *position* as clients carry it, in JSON."""
        return _encode(f"{self._epoch()}:{position}")

    def say(
        self, word: str, named: str | None, rest: bytes = b"", *, is_asked: bool = True
    ) -> None:
        """Let a message be sent; what was *asked* for does not count as too much."""
        head = b'{"type":%s,"id":%s' % (_encode(word), _encode(named))
        self._backlog.put(b"%s%s}" % (head, rest), counts=not is_asked)

    def problem(self, named: str | None, refusal: Refusal) -> None:
        """Say what is wrong with what was asked, or why a subscription is over."""
        self.say("error", named, b',"problem":' + _encode(refusal.problem()))


class Events:
    """Events that match, after a position."""

    def __init__(
        self,
        named: str,
        wish: Wish,
        after: Position,
        tail: Tail,
        telling: Telling,
        over: Callable[[str], None],
    ) -> None:
        self._named = named
        self._after = after
        self._tail = tail
        self._telling = telling
        self._over = over
        tail.join(wish, self, tail.position)
        telling.say("subscribed", named, b',"position":' + telling.token(after))

    def tell(self, told: Told) -> None:
        """Take in an event."""
        if told.position <= self._after:
            return
        position = self._telling.token(told.position)
        rest = b',"position":%s,"event":%s' % (position, told.json)
        self._telling.say("event", self._named, rest, is_asked=False)

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be told."""
        self._telling.problem(self._named, why)
        self._over(self._named)

    def leave(self) -> None:
        """Be told no more."""
        self._tail.leave(self)


class Entries:
    """Entities that match: those there are, and what becomes of them from then on.

    What changes while the snapshot is read is kept, and told after it if it is not in it.
    """

    def __init__(
        self,
        named: str,
        matches: Matches,
        entities: Entities,
        telling: Telling,
        over: Callable[[str], None],
    ) -> None:
        self.matches = matches
        self._named = named
        self._entities = entities
        self._telling = telling
        self._over = over
        self._kept: list[tuple[Position, bytes]] | None = []
        self._shown: Position = 0
        self.begins: Position = entities.join(self)
        """The snapshot must not be older."""

    def show(self, items: str, position: Position) -> None:
        """Send the snapshot, and what has changed since."""
        self._shown = position
        rest = b',"position":%s,"items":%s' % (self._telling.token(position), items.encode())
        self._telling.say("snapshot", self._named, rest)
        kept: Sequence[tuple[Position, bytes]] = self._kept or ()
        self._kept = None
        for each in kept:
            self.see(*each)

    def see(self, position: Position, change: bytes) -> None:
        """Take in a change."""
        if self._kept is not None:
            self._kept.append((position, change))
        elif position > self._shown:
            rest = b',"position":%s,%s' % (self._telling.token(position), change)
            self._telling.say("change", self._named, rest, is_asked=False)

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be seen."""
        self._telling.problem(self._named, why)
        self._over(self._named)

    def leave(self) -> None:
        """Be told no more."""
        self._entities.leave(self)
