"""`treering projections`: how far read models are; build one anew, accept it, drop old ones."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

from cyclopts import App
from rich.progress import Progress

from treering.app import App as Application
from treering.app import named
from treering.bus import OutcomeTimeout
from treering.cli import place
from treering.cli.advice import advise
from treering.cli.command import REFUSED, UNANSWERED
from treering.cli.output import complain, console, say, show, table
from treering.domain.projection import Skip, stream_of
from treering.entity.validation import nearest
from treering.errors import SettingsError, TreeringError
from treering.message import Position
from treering.projection import Projection, Rebuilt, Status, accept, accept_same, prune, rebuild
from treering.projection.build import Build
from treering.projection.follower import skips_of
from treering.projection.ground import Ground
from treering.reading import ReadModels
from treering.store import PoolOptions, Reader

DIFFERS, FAILED = 1, 2
_NICE = 10

app = App(name="projections", help="How far read models are; build one anew.")
app.command(advise)


@app.command
async def status(*, all: bool = False, json: bool = False) -> None:
    """Say of each read model how far it is, and why it has stopped or is held if it is.

    A build that is on its way shows per cent, rate and time left.

        treering projections status --all

    Args:
        all: Show what there is of other versions, too, and which build the view shows.
        json: Print JSON instead of a table.

    """
    found = place.loaded(projections=True)
    async with place.reader(found) as reader:
        models = ReadModels(reader, found.projections)
        states = await (models.all() if all else models.status())
    if json:
        show(states)
        return
    more = ("version", "in the view") if all else ()
    names = ("read model", "state", "position", "behind by", "build", "stopped at", "reason", *more)
    table(names, [_row(each, is_whole=all) for each in states])


@app.command(name="rebuild")
async def rebuild_(name: str, /, *, accept: bool = False) -> int:
    """Build a read model anew beside the old one, which is read until the new one takes its place.

    Both are compared. If they differ, that is printed, the old one stays, and this ends with 1;
    with 2 if it could not be done.

        treering projections rebuild configs

    Args:
        name: The read model.
        accept: Have the new one take its place although it differs.

    """
    try:
        rebuilt = await _rebuilt(name, accept=accept)
    except TreeringError as error:
        complain(str(error))
        return FAILED
    if rebuilt.differs:
        say(f"It differs from what there was: {rebuilt.differs}.")
    if not rebuilt.is_taken_up:
        complain(f"{name} stays as it is; `treering projections rebuild {name} --accept` does not.")
        return DIFFERS
    say(f"{name} is built anew, up to position {rebuilt.position}.")
    return 0


@app.command(name="accept")
async def accept_(name: str, /, *, same: bool = False) -> None:
    """Take up a read model that is held because it differs from the version before.

    Its projector runs and has caught up.

        treering projections accept configs

    Args:
        name: The read model.
        same: Before this release starts: have the tables of the version before stand for this one,
            because the code has changed and the rows have not, so that nothing is built anew.

    """
    found = place.loaded(projections=True)
    wanted = _projection(found, name)
    async with _ground(found) as ground:
        say(await (accept_same if same else accept)(ground, wanted))


@app.command(name="prune")
async def prune_() -> None:
    """Drop what there is of other versions of read models, unless somebody who runs needs it.

    treering projections prune
    """
    found = place.loaded(projections=True)
    async with _ground(found) as ground:
        pruned = await prune(ground, found.projections)
    for each in pruned.dropped:
        say(f"dropped  {_build(each)}")
    for each, why in pruned.kept:
        say(f"kept     {_build(each)}: {why}")
    if not pruned.dropped:
        say("There is nothing to drop.")


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


async def _rebuilt(name: str, *, accept: bool) -> Rebuilt:
    """Build it anew, showing how far that is."""
    found = place.loaded(projections=True)
    wanted = _projection(found, name)
    with Progress(console=console, transient=True) as bar, _considerate():
        async with _ground(found) as ground:
            task = bar.add_task(name, total=(await ground.reader.head()).position)
            return await rebuild(
                ground.reader,
                found.registry,
                wanted,
                namespace=found.namespace,
                accept=accept,
                report=lambda at: bar.update(task, completed=at),
            )


def _row(of: Status, *, is_whole: bool) -> tuple[object, ...]:
    said = of.stopped_at or "", of.reason or str(of.going or "")
    more = (of.version[:4], "yes" if of.is_shown else "") if is_whole else ()
    return of.name, of.state, of.position, of.lag, of.build, *said, *more


def _build(build: Build) -> str:
    return f"build {build.build} of {build.name}, version {build.version[:4]}"


@asynccontextmanager
async def _ground(found: Application) -> AsyncGenerator[Ground]:
    """Open the store as who may write read models."""
    url = named(found.settings.database, "database", "TREERING_DATABASE")
    pool = PoolOptions(max=2)
    async with await Reader.open(url, namespace=found.namespace, pool=pool) as reader:
        yield Ground(reader=reader, registry=found.registry, namespace=found.namespace)


@contextmanager
def _considerate() -> Generator[None]:
    """Let others of this machine go first."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(before, _NICE))
    try:
        yield
    finally:
        with suppress(PermissionError):  # back to what it was is not for everybody
            os.setpriority(os.PRIO_PROCESS, 0, before)


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
