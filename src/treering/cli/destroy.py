"""`treering destroy`: an end of a service, with everything that it has made."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from treering.app import named
from treering.bus import Topics
from treering.bus import removal as kafka
from treering.cli import place
from treering.cli.output import console, say
from treering.dev import announcement, places
from treering.embedded import Servers
from treering.errors import SettingsError, StillRunning
from treering.roots import home_of
from treering.settings import namespaced
from treering.store import removal as database

_SERVERS = ("postgres", "kafka")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    kafka: str
    owner: str
    notes: Sequence[str] = ()
    """What else a person should know of the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a namespace has, wherever it has it."""

    on_kafka: kafka.OnKafka
    in_database: database.InDatabase

    @property
    def is_nothing(self) -> bool:
        return not (self.on_kafka.topics or self.on_kafka.groups or self.in_database.schemas)

    @property
    def users(self) -> Sequence[str]:
        return [*self.in_database.sessions, *self.on_kafka.members]


async def destroy(name: str, /, *, yes: bool = False) -> int:
    """Remove a service for good: its events, its read models, its topics and its groups.

    Shows what that is, and asks for the name once more. Refuses while processes of the service
    run. Needs the owner of its schemas (TREERING_DATABASE_OWNER) and Kafka, not the service's code;
    removes what is there, so that it can be run again if it was interrupted. Database users and
    the files of `treering dev` are left.

        treering destroy weather

    Args:
        name: The service's id, or its TREERING_NAMESPACE if it has one.
        yes: Do not ask; it is refused where views or foreign keys of others would go with it.

    """
    try:
        namespaced(name)
    except ValueError as error:
        raise SettingsError(f"{name!r} is no name of a service: {error}.") from error
    async with _place(name) as where:
        found = await _look(where, name)
        if found.is_nothing:
            say(f"There is nothing of {name}{_at(where)}.")
            return 0
        for line in _shown(found, where, name):
            say(line)
        if not _agreed(name, found, yes=yes):
            say("Nothing was removed.")
            return 1
        found = await _look(where, name)
        await kafka.remove(where.kafka, found.on_kafka)
        await database.remove(where.owner, name, found.in_database)
        if not (await _look(where, name)).is_nothing:
            raise StillRunning(
                f"Something of {name} is there again: a process of it has started meanwhile; stop "
                "it and destroy it once more."
            )
    say(f"{name} is gone.")
    return 0


@asynccontextmanager
async def _place(name: str) -> AsyncGenerator[_Where]:
    """Find the servers; those of a `treering dev` that does not run are started for it."""
    said = place.settings()
    home = home_of(said)
    if (dev := announcement.read(home)) and dev.namespace == name:
        raise StillRunning(f"treering dev runs {name} here (process {dev.pid}): stop it first.")
    owner = said.database_owner or said.database
    if (owner or said.kafka) or not all((home / each).exists() for each in _SERVERS):
        yield _Where(
            kafka=named(said.kafka, "Kafka", "TREERING_KAFKA"),
            owner=named(owner, "database", "TREERING_DATABASE_OWNER"),
        )
        return
    servers = Servers(home, places.server_options(said))
    addresses = await asyncio.to_thread(servers.start)
    note = f"the servers of {home}, with their files: delete that folder to be rid of them"
    try:
        yield _Where(kafka=addresses.kafka, owner=addresses.database, notes=[note])
    finally:
        await asyncio.to_thread(servers.stop)


async def _look(where: _Where, name: str) -> _Found:
    """Return what there is of *name*; raises StillRunning if somebody uses it."""
    found = _Found(
        in_database=await database.in_database(where.owner, name),
        on_kafka=await kafka.on_kafka(where.kafka, Topics(name)),
    )
    if found.users:
        raise StillRunning(
            f"{name} is in use by {'; '.join(found.users)}: stop its processes first (one that was "
            "killed counts for some seconds)."
        )
    return found


def _shown(found: _Found, where: _Where, name: str) -> Iterator[str]:
    """Yield what is removed and what is left, a line each."""
    yield f"Of {name}{_at(where)} this is removed for good:"
    if schemas := found.in_database.schemas:
        yield f"  schemas {', '.join(schemas)}: {found.in_database.events} events"
    if models := found.in_database.read_models:
        yield f"  read models {', '.join(models)}"
    yield from (f"  {each}, which is not the service's own" for each in found.in_database.leaning)
    yield from (f"  topic {topic}" for topic in found.on_kafka.topics)
    yield from (f"  group {group}" for group in found.on_kafka.groups)
    left = [
        *(f"the role {role}, which others may use" for role in found.in_database.roles),
        *(f"the topic {topic}, which no service makes" for topic in found.on_kafka.others),
        *where.notes,
    ]
    if left:
        yield "This is left:"
        yield from (f"  {each}" for each in left)


def _agreed(name: str, found: _Found, *, yes: bool) -> bool:
    """Ask for the name once more, unless *yes* was said and nothing of others goes with it."""
    if yes and (leaning := found.in_database.leaning):
        raise SettingsError(
            f"Others go with it, such as {leaning[0]}: drop them first, or say the name instead of "
            "--yes."
        )
    if yes:
        return True
    try:
        return console.input(f"Type {name} to destroy it: ").strip() == name
    except EOFError:
        raise SettingsError(
            f"Nobody is there to type {name} once more; say --yes if it is meant."
        ) from None


def _at(where: _Where) -> str:
    """Return where it is looked for, without what is secret."""
    parts = urlsplit(where.owner)
    host = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", [""])[0]
    return f" on {host}{parts.path} and {where.kafka}"
