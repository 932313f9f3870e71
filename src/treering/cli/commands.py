"""`treering commands`: what became of commands."""

from cyclopts import App

from treering.bus import Topics, dead_list
from treering.bus.letter import stamp
from treering.cli import place
from treering.cli.output import say, show, table
from treering.handling import outcome_of
from treering.store.parked import is_parked, waiting

app = App(name="commands", help="What became of commands.")


@app.command(name="show")
async def show_(id: str, /) -> int:
    """Print the outcome of a command as JSON: accepted, nothing, refused, parked, or pending.

    Ends with 0 when there is a verdict, 3 when there is none (yet). What is parked waits for a
    handler of the newer release that it was written for. A dead letter is refused with
    `"dead": true`, and has no verdict: it may be sent again.

        treering commands show 01JD3V0M7P3M1V9B6Q2WZ1X5YK

    Args:
        id: The command's id.

    """
    found = place.loaded()
    async with place.reader(found) as reader:
        verdict = await reader.verdict(id)
        if verdict is not None:
            show(await outcome_of(reader, found.registry, verdict))
            return 0
        if await is_parked(reader, id):
            show({"command": id, "outcome": "parked"})
            return 3
    letters = await dead_list(place.kafka(found), Topics(found.namespace))
    for letter in letters:
        if letter.command == id:
            show({"command": id, "outcome": "refused", "dead": True, "reason": letter.reason})
            return 3
    show({"command": id, "outcome": "pending"})
    return 3


@app.command
async def parked(*, json: bool = False) -> None:
    """List what waits for a newer handler: how many commands of which type, and since when.

        treering commands parked

    Args:
        json: Print JSON instead of a table.

    """
    async with place.reader(place.loaded()) as reader:
        found = await waiting(reader)
    if json:
        show(found)
    elif found:
        rows = [(each.type, each.revision, each.waiting, stamp(each.oldest)) for each in found]
        table(("type", "revision", "waiting", "oldest"), rows)
    else:
        say("No command waits for a newer handler.")
