"""What may be subscribed to: the entities of every collection, and events."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from treering.entity.validation import fault, invalid, nearest
from treering.gateway.collection import Collection
from treering.gateway.http.problem import ReadModelBehind, TooLong
from treering.gateway.live.asked import Subscribe
from treering.gateway.live.entities import Entities
from treering.gateway.live.subscriptions import Entries, Events, Subscription, Telling
from treering.gateway.live.tail import Tail
from treering.gateway.live.told import SHAPE, WORDS
from treering.gateway.live.wish import wish_for
from treering.message import Position
from treering.query import Filter, Parsing, QueryOptions, Shape, matching
from treering.reading import Listing, ReadModels
from treering.registry import Registry
from treering.store import Reader

type Over = Callable[[str], None]
"""Called with a subscription's name when it ends by itself."""


class Offers:
    """Makes subscriptions; those to one collection share what folds its events."""

    def __init__(  # noqa: PLR0913 - what a gateway has
        self,
        collections: Sequence[Collection],
        tail: Tail,
        reader: Reader,
        registry: Registry,
        read_models: ReadModels,
        *,
        most: int,
        patience: float,
    ) -> None:
        self._collections: Mapping[str, Collection] = {each.plural: each for each in collections}
        self._entities = {
            each.kind: Entities(each.kind, tail, reader, registry) for each in collections
        }
        self._tail = tail
        self._read_models = read_models
        self._most = most
        self._patience = patience

    def epoch(self) -> str:
        """Return the store's epoch."""
        return self._tail.epoch

    async def subscribe(
        self, asked: Subscribe, telling: Telling, over: Over, hidden: Sequence[Filter]
    ) -> Subscription:
        """Begin what is *asked*, and tell what there is; *hidden* conditions hold for all events.

        Raises InvalidBody with all that does not fit, ReadModelBehind, ReadModelAway, TooLong.
        """
        await self._tail.begin()
        if asked.collection is None:
            wish = wish_for([*_filters(asked, SHAPE), *hidden], WORDS)
            return Events(asked.id, wish, await self._tail.now(), self._tail, telling, over)
        if (collection := self._collections.get(asked.collection)) is None:
            names = [*self._collections]
            near = nearest(asked.collection, names)
            word = "There is no such collection"
            raise invalid(
                [fault(("collection",), "wrong_value", word, asked.collection, near=near)]
            )
        return await self._entries(asked, collection, telling, over)

    async def _entries(
        self, asked: Subscribe, collection: Collection, telling: Telling, over: Over
    ) -> Subscription:
        """Watch first, and then look at what there is: so nothing happens in between."""
        name = collection.read_model
        shape = self._read_models.shape(name)
        filters = _filters(asked, shape)
        made = Entries(
            asked.id,
            matching(filters, shape.words),
            self._entities[collection.kind],
            telling,
            over,
        )
        try:
            found = await self._snapshot(collection, filters, made.begins)
        except BaseException:
            made.leave()
            raise
        made.show(found.items, found.position)
        return made

    async def _snapshot(
        self, collection: Collection, filters: Sequence[Filter], since: Position
    ) -> Listing:
        """Return what matches, as of *since* or later."""
        name = collection.read_model
        if not await self._read_models.wait(name, since, self._patience):
            await self._read_models.check(name)
            raise ReadModelBehind(f"{collection.plural} are behind; subscribe again.")
        wanted = QueryOptions(filters=filters, limit=self._most + 1, count="none")
        found = await self._read_models.list(name, wanted)
        if found.rows > self._most:
            raise TooLong(f"More than {self._most:,} {collection.plural} match; filter them.")
        return found


def _filters(asked: Subscribe, shape: Shape) -> Sequence[Filter]:
    parsing = Parsing(shape, parts=("filter",))
    if asked.filter:
        parsing.parse("filter", msgspec.json.encode(asked.filter).decode())
    if faults := parsing.faults():
        raise invalid(faults)
    return parsing.filters
