"""`treering projections`: how far read models are; build one anew; pass over an event."""

from cyclopts import App
from rich.progress import Progress

from treering.app import App as Application
from treering.app import named
from treering.bus import OutcomeTimeout
from treering.cli import place
from treering.cli.command import REFUSED, UNANSWERED
from treering.cli.output import complain, console, say, show, table
from treering.domain.projection import Skip, stream_of
from treering.entity.validation import nearest
from treering.errors import SettingsError
from treering.projection import Projection, ReadModels, rebuild
from treering.store import PoolOptions, Reader

app = App(name="projections", help="How far read models are; build one anew.")


@app.command
async def status(*, json: bool = False) -> None:
    """Say of each read model how far it is, and why it has stopped if it has.

        treering projections status

    Args:
        json: Print JSON instead of a table.

    """
    found = place.loaded(projections=True)
    async with place.reader(found) as reader:
        states = await ReadModels(reader, found.projections).status()
    if json:
        show(states)
        return
    rows = [
        (each.name, each.state, each.position, each.lag, each.build, each.reason or "")
        for each in states
    ]
    table(("read model", "state", "position", "behind by", "build", "reason"), rows)


@app.command(name="rebuild")
async def rebuild_(name: str, /) -> None:
    """Build a read model anew beside the old one, which is read until the new one takes its place.

        treering projections rebuild configs

    Args:
        name: The read model.

    """
    found = place.loaded(projections=True)
    wanted = _projection(found, name)
    url = named(found.settings.database, "database", "TREERING_DATABASE")
    pool = PoolOptions(max=2)
    with Progress(console=console, transient=True) as bar:
        async with await Reader.open(url, namespace=found.namespace, pool=pool) as reader:
            task = bar.add_task(name, total=(await reader.head()).position)
            position = await rebuild(
                reader,
                found.registry,
                wanted,
                namespace=found.namespace,
                report=lambda at: bar.update(task, completed=at),
            )
    say(f"{name} is built anew, up to position {position}.")


@app.command
async def skip(name: str, position: int, /, *, reason: str = "", timeout: float = 10) -> int:
    """Have a read model pass over an event that it can not fold, now and whenever it is rebuilt.

        treering projections skip configs 1201 --reason "written by a faulty import"

    Args:
        name: The read model.
        position: The event's position, as `projections status` says it.
        reason: Why, for those who come after.
        timeout: Seconds to wait for the outcome.

    """
    found = place.loaded(projections=True)
    _projection(found, name)
    async with place.reader(found) as reader:
        head = (await reader.head()).position
    if not 1 <= position <= head:
        complain(f"There is no event at position {position}: the newest is at {head}.")
        return REFUSED
    try:
        async with place.client(found) as client:
            outcome = await client.ask(
                Skip.message_type,
                {"position": position, "reason": reason},
                subject=stream_of(name),
                timeout=timeout,
            )
    except OutcomeTimeout as error:
        complain(str(error))
        return UNANSWERED
    if outcome.outcome == "refused":
        show(outcome)
        return REFUSED
    say(f"{name} passes over position {position}.")
    return 0


def _projection(found: Application, name: str) -> Projection:
    by_name = {each.name: each for each in found.projections}
    if name in by_name:
        return by_name[name]
    near = nearest(name, [*by_name])
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(by_name)}."
    raise SettingsError(f"This service has no read model {name!r}; {hint}")
