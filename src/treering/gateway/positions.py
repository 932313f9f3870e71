"""Positions as clients carry them, `<epoch>:<position>`, so that they read what they wrote."""

from treering.entity.validation import fault, invalid
from treering.gateway.http.problem import OtherEpoch
from treering.message import Position
from treering.store import Head, Reader

_LARGEST = 2**63 - 1
_DIGITS = 19


class Epoch:
    """The store's epoch, remembered; every look at the head renews it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: str | None = None

    async def head(self) -> Head:
        """Return where the store stands."""
        head = await self._reader.head()
        self._known = head.epoch
        return head

    async def token(self, position: Position) -> str:
        """Return *position* as clients carry it."""
        return f"{self._known or (await self.head()).epoch}:{position}"

    async def position(self, token: str, said_in: str) -> Position:
        """Return the position of *token*, which may lack its epoch.

        Raises InvalidBody if it is none, OtherEpoch if the store was restored since it was given.
        """
        epoch, _, number = token.rpartition(":")
        if not _is_position(number):
            raise invalid(
                [fault((said_in,), "position", "Is no position, such as 12 or <epoch>:12", token)]
            )
        if epoch and epoch != self._known and epoch != (await self.head()).epoch:
            raise OtherEpoch(
                f"{token} was given before the store was restored from a backup; forget it."
            )
        return int(number)


def _is_position(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return is_number and int(text) <= _LARGEST
