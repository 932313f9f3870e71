"""`treering events`: what happened, as the store has it."""

from collections.abc import Iterable

import msgspec
from cyclopts import App

from treering.cli import place
from treering.cli.output import say, show, show_line
from treering.errors import NotFound
from treering.message import Stored

app = App(name="events", help="What happened, in order.")


@app.command
async def tail(
    *, last: int = 10, after: int | None = None, follow: bool = False, json: bool = False
) -> None:
    """Print the newest events, and with --follow those to come.

        treering events tail --follow

    Args:
        last: How many of those there are.
        after: Begin after this position instead.
        follow: Go on until Ctrl-C.
        json: Print one line of JSON for each.

    """
    found = place.loaded()
    async with place.reader(found) as reader:
        head = (await reader.head()).position
        position = max(0, head - last) if after is None else after
        while position < head and (events := await reader.read(position, limit=1000)):
            _print([each for each in events if each.position <= head], json=json)
            position = events[-1].position
        if follow:
            async for events in reader.tail(max(position, head)):
                _print(events, json=json)


@app.command(name="show")
async def show_(stream: str, /) -> None:
    """Print the events of one stream, or the one at a position, as JSON.

        treering events show config/01JD3V0M7P3M1V9B6Q2WZ1X5YK

    Args:
        stream: KIND/ID, or a position.

    """
    found = place.loaded()
    async with place.reader(found) as reader:
        if stream.isdigit():
            events = await reader.read(int(stream) - 1, limit=1)
            events = [each for each in events if each.position == int(stream)]
        else:
            events = await reader.read_stream(stream)
    if not events:
        what = f"position {stream}" if stream.isdigit() else stream
        raise NotFound(f"There is no event of {what}.")
    shown = [_shown(each) for each in events]
    show(shown[0] if stream.isdigit() else shown)


def _print(events: Iterable[Stored], *, json: bool) -> None:
    for each in events:
        if json:
            show_line(_shown(each))
        else:
            body = each.body or "(erased)"
            at = f"{each.recorded_at:%H:%M:%S}"
            say(f"{each.position:>8}  {at}  {each.type:<28} {each.stream}  {body}")


def _shown(each: Stored) -> dict[str, object]:
    found: dict[str, object] = {
        name: getattr(each, name) for name in each.__struct_fields__ if name != "body"
    }
    return found | {"body": msgspec.Raw(each.body.encode()) if each.body else None}
