"""What a gateway was asked that no index serves, sent on as one command a minute."""

import asyncio

import structlog

from treering.bus import Client
from treering.domain.index_advice import STREAM, Add
from treering.errors import BusError
from treering.reading import ReadModels

_EVERY = 60.0
_log = structlog.stdlib.get_logger(__name__)


async def keep_advising(read_models: ReadModels, client: Client, every: float = _EVERY) -> None:
    """Send what was counted meanwhile, for ever; nothing if that is nothing."""
    while True:
        await asyncio.sleep(every)
        await advise(read_models, client)


async def advise(read_models: ReadModels, client: Client) -> None:
    """Send what was counted since the last time; what can not be sent is lost, as it is advice."""
    if asked := read_models.take_unserved():
        try:
            await client.publish(Add.message_type, {"asked": asked}, subject=STREAM)
        except BusError as error:
            _log.warning("advice on indexes could not be sent", error=str(error))
