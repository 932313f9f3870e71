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
from treering.message import Position
from treering.projection import Projection, ReadModels, Status, rebuild
from treering.projection.follower import skips_of
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
    names = ("read model", "state", "position", "behind by", "build", "stopped at", "reason")
    table(names, [_row(each) for each in states])


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
        position: Where it has stopped, as `projections status` says it.
        reason: Why, for those who come after.
        timeout: Seconds to wait for the outcome.

    """
    found = place.loaded(projections=True)
    _projection(found, name)
    if objection := await _objection(found, name, position):
        complain(objection)
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


def _row(of: Status) -> tuple[object, ...]:
    said = of.stopped_at or "", of.reason or ""
    return of.name, of.state, of.position, of.lag, of.build, *said


async def _objection(found: Application, name: str, position: Position) -> str | None:
    """Return why the read model may not pass over the event at *position*, if it may not."""
    async with place.reader(found) as reader:
        states = await ReadModels(reader, found.projections).status()
        skips = await skips_of(reader, found.registry, name)
    stopped = next(each.stopped_at for each in states if each.name == name)
    if position == stopped or position in skips:
        return None
    where = "has not stopped" if stopped is None else f"has stopped at position {stopped}"
    return f"{name} {where}, so it does not pass over the event at position {position}."


def _projection(found: Application, name: str) -> Projection:
    by_name = {each.name: each for each in found.projections}
    if name in by_name:
        return by_name[name]
    near = nearest(name, [*by_name])
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(by_name)}."
    raise SettingsError(f"This service has no read model {name!r}; {hint}")
