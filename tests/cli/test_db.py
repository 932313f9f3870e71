"""`treering db` on a store of its own: up, previewed, down, and never under who works in it."""

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.cli.conftest import Said, Treering
from tests.handling.kinds import said
from treering.embedded import Addresses
from treering.entity import Create, Entity
from treering.handling import Handling
from treering.message import Received
from treering.registry import Registry
from treering.sql import REVISION
from treering.store import Store
from treering.store.connecting import url_for

SERVICE = """
from treering import Entity, Service

service = Service(id="{id}", display_name="Rain", version="1")


class Tank(Entity):
    litres: int = 0


class Reading(Entity{words}):
    tank: str | None = None
"""
REFERS = ', references={"tank": Tank}'
NEW = "reading references tank in tank"


class Tank(Entity):
    litres: int = 0


class Reading(Entity):
    tank: str | None = None


class Place:
    """A folder with a service, and a database that has no store of it yet."""

    def __init__(self, namespace: str, writer: str, treering: Treering) -> None:
        self.namespace = namespace
        self.writer = writer
        self.db = partial(treering, "db")
        self.declare("")

    def declare(self, words: str) -> None:
        """Have readings declared with *words*."""
        Path("service.py").write_text(SERVICE.format(id=self.namespace, words=words))
        sys.modules.pop("service", None)

    def do(self, *commands: Received[Any]) -> None:
        """Have *commands* decided by readings that refer to nobody."""

        async def decide() -> None:
            registry = Registry([Tank.decider(), Reading.decider()])
            async with await Store.open(self.writer, namespace=self.namespace) as store:
                await Handling(store, registry).handle(commands)

        asyncio.run(decide())


def tank(name: str) -> Received[Any]:
    """Make a tank."""
    return said(f"tank/{name}", Create(fields={}))


def reading(name: str, tank: str) -> Received[Any]:
    """Make a reading of *tank*."""
    return said(f"reading/{name}", Create(fields={"tank": tank}))


@pytest.fixture
def place(
    servers: Addresses,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    treering: Treering,
) -> Iterator[Place]:
    """Return a place of our own, where commands find the test's servers."""
    writer, reader = (
        url_for(servers.database, f"treering_{role}") for role in ("writer", "reader")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREERING_DATABASE_OWNER", servers.database)
    monkeypatch.setenv("TREERING_DATABASE", writer)
    monkeypatch.setenv("TREERING_DATABASE_READER", reader)
    yield Place(namespace, writer, treering)
    schema = namespace.replace("-", "_")

    async def drop() -> None:
        connection = await asyncpg.connect(servers.database)
        await connection.execute(f"drop schema if exists {schema}, {schema}_read cascade")
        await connection.close()

    asyncio.run(drop())


def test_a_preview_shows_the_sql_and_the_rules_and_makes_nothing(place: Place) -> None:
    place.declare(REFERS)
    previewed = place.db("upgrade", "--preview")
    assert previewed.status == 0, previewed.err
    assert "-- Revision 0001" in previewed.out
    assert "create table events" in previewed.out
    assert previewed.out.startswith("-- To be read, not to be run by hand")
    assert f"New rule: {NEW}." in previewed.lines
    assert place.db("current").lines == ["none"]


def test_a_rule_is_previewed_refused_added_and_taken_away(place: Place) -> None:
    assert place.db("upgrade").lines == [f"{place.namespace} is at revision {REVISION}."]
    place.do(tank("a"), reading("1", "a"), reading("2", "b"))
    place.declare(REFERS)
    for words in (("upgrade", "--preview"), ("upgrade",)):
        refused = place.db(*words)
        assert refused.status == 1
        assert "what is stored breaks new rules in 1 place;" in refused.err
        assert "reading/2: tank names tank/b, which is not there" in refused.err
    place.do(tank("b"))
    assert place.db("upgrade", "--preview").lines == [f"New rule: {NEW}."]
    upgraded = place.db("upgrade").lines
    assert upgraded[1] == f"New rule: {NEW}."
    assert upgraded[2].startswith("4 streams were folded for that; appends waited 0.")
    assert len(place.db("upgrade").lines) == 1
    place.declare("")
    assert place.db("upgrade").lines[1] == f"Rule gone: {NEW}."


def test_rules_that_are_broken_keep_an_older_store_as_it_is(place: Place) -> None:
    place.db("upgrade")
    place.do(reading("1", "a"))
    place.declare(REFERS)
    assert "say --yes if that is meant" in place.db("downgrade", "--to", "0001").err
    assert place.db("downgrade", "--to", "0001", "--yes").lines == [
        f"{place.namespace} is at revision 0001."
    ]
    assert "reading/1: tank names tank/a" in place.db("upgrade").err
    assert place.db("current").lines == ["0001"]
    assert place.db("upgrade", "--to", "0002", "--preview").out.count("-- Revision") == 1
    assert place.db("upgrade", "--to", "0002").lines == [f"{place.namespace} is at revision 0002."]
    place.declare("")
    assert place.db("upgrade").status == 0


def test_rules_do_not_go_for_want_of_a_service(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.declare(REFERS)
    place.db("upgrade")
    Path("service.py").unlink()
    monkeypatch.setenv("TREERING_NAMESPACE", place.namespace)
    for words in (("upgrade", "--preview"), ("upgrade",)):
        refused = place.db(*words)
        assert refused.status == 1
        assert f"There is no service.py in {Path.cwd()}, and without it" in refused.err
        assert f"such as {NEW!r}" in refused.err
    place.declare(REFERS)
    assert len(place.db("upgrade").lines) == 1


def test_a_way_back_says_what_it_takes_and_never_while_somebody_works(place: Place) -> None:
    place.db("upgrade")
    place.do(tank("a"), tank("b"))
    lost = place.db("downgrade")
    assert lost.status == 1
    assert "the store with all that was recorded in it, 2 events; say --yes" in lost.err

    async def with_somebody() -> Said:
        async with await Store.open(place.writer, namespace=place.namespace):
            return await asyncio.to_thread(place.db, "downgrade", "--yes")

    refused = asyncio.run(with_somebody())
    assert refused.status == 1
    assert "stop them first" in refused.err
    assert place.db("downgrade", "--yes").lines == [f"{place.namespace} is at revision none."]
    assert place.db("upgrade", "--to", "0001").lines[0].endswith("is at revision 0001.")


def test_a_store_that_is_newer_is_left_alone(place: Place, servers: Addresses) -> None:
    place.db("upgrade")

    async def age() -> None:
        connection = await asyncpg.connect(servers.database)
        schema = place.namespace.replace("-", "_")
        await connection.execute(f"update {schema}.alembic_version set version_num = '9999'")  # noqa: S608
        await connection.close()

    asyncio.run(age())
    for words in (("upgrade",), ("upgrade", "--preview"), ("downgrade", "--yes")):
        refused = place.db(*words)
        assert refused.status == 1
        assert refused.err.startswith("Error: The store is at revision 9999, which this release")
        assert "Traceback" not in refused.err
