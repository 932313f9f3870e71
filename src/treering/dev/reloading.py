"""Takes changed code up: the children that run go on until the new code has loaded beside them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from treering.dev.changes import changes
from treering.dev.keeper import Keeper
from treering.dev.refusal import Refusal
from treering.dev.screen import Screen


async def reload(
    root: Path, keepers: Sequence[Keeper], *, seconds: float, screen: Screen, refusal: Refusal
) -> None:
    """Replace all children each time that a file below *root* changes, for ever.

    Code that can not be loaded is shown and replaces nothing. A child may take *seconds* to end.
    """
    async for file in changes(root):
        screen.forget()
        screen.said(f"{file.relative_to(root)} has changed; starting again.")
        prepared = await asyncio.gather(*(keeper.prepare() for keeper in keepers))
        failures = [failure for failure in prepared if failure]
        if not failures:
            await asyncio.gather(*(keeper.replace(seconds) for keeper in keepers))
            continue
        for keeper in keepers:
            keeper.discard()
        for failure in failures:
            screen.complained(failure.reason or "The code ended while it was being loaded.")
        if not refusal.begun:
            screen.said("The code that worked goes on until this is mended.")
