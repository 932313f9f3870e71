"""`treering doctor`: counts everything."""

from treering.cli import place
from treering.cli.output import say
from treering.reading import ReadModels


async def doctor() -> int:
    """Count all events and compare with the head; look at every read model.

    Ends with 0 when all holds, 1 when something does not.

        treering doctor
    """
    found = place.loaded(projections=True)
    async with place.reader(found) as reader:
        invariant = await reader.invariant(full=True)
        say(f"{'ok   ' if invariant.holds else 'WRONG'} positions are gapless: {invariant.detail}")
        holds = invariant.holds
        for each in await ReadModels(reader, found.projections).status():
            fine = each.state not in {"stopped", "held"}
            holds &= fine
            said = f"{each.state}, {each.lag} behind" if fine else f"{each.state}: {each.reason}"
            say(f"{'ok   ' if fine else 'WRONG'} read model {each.name}: {said}")
    return 0 if holds else 1
