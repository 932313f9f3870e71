"""Read your writes: an answer that is not older than the position that the client has seen."""

from collections.abc import Mapping

from starlette.requests import Request

from treering.gateway.collection import Table
from treering.gateway.http.problem import ReadModelBehind
from treering.gateway.positions import Epoch
from treering.message import Position
from treering.reading import ReadModels

POSITION = "Treering-Position"
BEHIND = {"Treering-Read-Model": "behind"}


class Freshness:
    """Waits for the position that a request names.

    One in the header `Treering-Position` is waited for as long as allowed; after that the answer is
    what there is, marked `Treering-Read-Model: behind`. One in `?min_position=` is demanded: 503
    instead.
    """

    def __init__(self, read_models: ReadModels, epoch: Epoch, *, patience: float) -> None:
        self._read_models = read_models
        self._epoch = epoch
        self._patience = patience

    async def token(self, position: Position) -> str:
        """Return what clients see of *position*."""
        return await self._epoch.token(position)

    async def epoch(self) -> str:
        """Return the store's epoch."""
        return (await self._epoch.token(0)).partition(":")[0]

    async def wait(
        self, collection: Table, request: Request, demanded: str | None
    ) -> Mapping[str, str] | None:
        """Wait for the position that the client has seen; return what to say of it."""
        token = demanded or request.headers.get(POSITION)
        if token is None:
            return None
        said_in = "min_position" if demanded else POSITION
        position = await self._epoch.position(token, said_in)
        if await self._read_models.wait(collection.read_model, position, self._patience):
            return None
        if demanded:
            await self._read_models.check(collection.read_model)
            raise ReadModelBehind(
                f"{collection.plural} have not reached position {position} yet.",
                position=position,
            )
        return BEHIND
