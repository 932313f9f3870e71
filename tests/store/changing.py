"""A service whose rules change, and what its streams should hold by them."""

from typing import Any

from tests.handling.kinds import said
from tests.store.test_migrations import tables
from treering.entity import Create, Entity
from treering.handling import Handling
from treering.handling.states import folded
from treering.message import Received, kind_of
from treering.registry import Registry
from treering.store import Store
from treering.store.backfill import RuleChange, preview_rules, upgrade_rules
from treering.testing.fixtures import Database


class Tank(Entity):
    name: str | None = None


class NamedTank(Entity, kind="tank", unique={"name"}):
    name: str | None = None


class FreedTank(Entity, kind="tank", unique={"name"}, frees_keys=True):
    name: str | None = None


class Reading(Entity):
    tank: str | None = None


class KeptReading(Entity, kind="reading", references={"tank": "tank"}):
    tank: str | None = None


def registry(*kinds: type[Entity]) -> Registry:
    """Return the registry of some entities."""
    return Registry([kind.decider() for kind in kinds])


PLAIN = registry(Tank, Reading)
NAMED = registry(NamedTank, Reading)
FREED = registry(FreedTank, Reading)
KEPT = registry(Tank, KeptReading)
BOTH = registry(NamedTank, KeptReading)


class Service:
    """A service that goes by one registry after the other, on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def upgrade(self, to: Registry) -> RuleChange:
        """Store the rules of *to*."""
        return await upgrade_rules(self.database.owner, self.database.namespace, to)

    async def preview(self, to: Registry) -> RuleChange:
        """Say what `upgrade` would do."""
        return await preview_rules(self.database.owner, self.database.namespace, to)

    async def do(self, by: Registry, *commands: Received[Any]) -> list[str]:
        """Decide *commands* by a registry; return what became of each."""
        database = self.database
        async with await Store.open(database.writer, namespace=database.namespace) as store:
            await store.obey(by.rulebook.words)
            outcomes = await Handling(store, by).handle(commands)
        return [
            each.problem["type"].rpartition(":")[2] if each.problem else each.outcome
            for each in outcomes
        ]

    async def holds(self) -> dict[str, list[str]]:
        """Return all keys and references."""
        found = await tables(self.database)
        return {name: found[name] for name in ("unique_key", "reference")}

    async def should_hold(self, by: Registry) -> dict[str, list[str]]:
        """Return the keys and references that follow from all events, by a registry."""
        database = self.database
        async with await Store.open(database.writer, namespace=database.namespace) as store:
            rows = await store.fetch("select stream from stream")
            streams = [row[0] for row in rows if kind_of(row[0]) in by.deciders]
            held = await folded(store, by, dict.fromkeys(streams))
        keys: list[str] = []
        references: list[str] = []
        for stream, each in held.items():
            has = by.rulebook.held(stream, each.decider, each.version, each.state)
            keys += [_row(key, stream) for key in has.keys]
            references += [_row(one.parent, one.child, one.field) for one in has.references]
        return {"unique_key": sorted(keys), "reference": sorted(references)}


def _row(*values: str) -> str:
    doubled = [value.replace('"', '""') for value in values]
    return "({})".format(",".join(f'"{v}"' if '"' in v else v for v in doubled))


def tank(number: int, name: str | None = None) -> Received[Any]:
    """Make a tank."""
    return said(f"tank/{number}", Create(fields={"name": name}))


def reading(number: int, tank: str | None = None) -> Received[Any]:
    """Make a reading of a tank."""
    return said(f"reading/{number}", Create(fields={"tank": tank}))
