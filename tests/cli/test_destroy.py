"""The end of a service: what is refused, what is asked, and what is left."""

import asyncio
import io
from collections.abc import Callable, Coroutine, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.cli.conftest import Treering
from tests.docs.running import Service, reader
from treering.bus import Topics, create_topics
from treering.bus.removal import OnKafka, on_kafka, remove
from treering.embedded import Addresses
from treering.store import migrations
from treering.store.connecting import url_for
from treering.store.removal import in_database
from treering.testing.fixtures import Database

pytestmark = pytest.mark.usefixtures("folder")


class Place:
    """Two servers, and what a namespace has on them."""

    def __init__(self, servers: Addresses, namespace: str) -> None:
        self.namespace = namespace
        self._servers = servers

    def do(self, *works: Coroutine[Any, Any, Any]) -> None:
        """Do *works*, one after the other."""

        async def all_() -> None:
            for work in works:
                await work

        asyncio.run(all_())

    async def store(self) -> None:
        await migrations.upgrade(self._servers.database, self.namespace)

    async def sql(self, text: str) -> None:
        connection = await asyncpg.connect(self._servers.database)
        try:
            await connection.execute(text)
        finally:
            await connection.close()

    async def begin(self) -> None:
        """Connect as a process of the service."""
        named = {"application_name": f"treering {self.namespace}"}
        self._process = await asyncpg.connect(self._servers.database, server_settings=named)

    async def end(self) -> None:
        """Leave, as that process."""
        await self._process.close()

    async def topics(self) -> None:
        names = Topics(self.namespace)
        await create_topics(self._servers.kafka, names, ["rain"], partitions=1, replication=1)

    async def topic(self, name: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers.kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, 1, 1)])
        finally:
            await admin.close()

    def left(self) -> tuple[int, int]:
        """Return how many schemas and topics there are."""

        async def look() -> tuple[int, int]:
            there = await in_database(self._servers.database, self.namespace)
            found = await on_kafka(self._servers.kafka, Topics(self.namespace))
            return len(there.schemas), len(found.topics)

        return asyncio.run(look())

    async def gone(self) -> None:
        found = await on_kafka(self._servers.kafka, Topics(self.namespace))
        await remove(self._servers.kafka, found)
        schema = self.namespace.replace("-", "_")
        await self.sql(f'drop schema if exists "{schema}", "{schema}_read" cascade')


@pytest.fixture
def place(servers: Addresses, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    """Return a place with nothing in it, which the settings name."""
    monkeypatch.setenv("TREERING_DATABASE", url_for(servers.database, "nobody"))
    monkeypatch.setenv("TREERING_DATABASE_OWNER", servers.database)
    monkeypatch.setenv("TREERING_KAFKA", servers.kafka)
    made = Place(servers, namespace)
    yield made
    made.do(made.gone())


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts words where a person would type them."""

    def typed(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return typed


def test_the_name_is_asked_for_once_more(
    treering: Treering, place: Place, typing: Callable[[str], None]
) -> None:
    place.do(place.store(), place.topics())
    typing("other\n")
    said = treering("destroy", place.namespace)
    assert (said.status, "Nothing was removed." in said.out) == (1, True)
    typing("")
    said = treering("destroy", place.namespace)
    assert (said.status, "say --yes if it is meant" in said.err) == (1, True)
    assert place.left() == (2, 5)
    typing(f"{place.namespace}\n")
    said = treering("destroy", place.namespace)
    assert (said.status, said.lines[-1].endswith(f"{place.namespace} is gone.")) == (0, True)
    assert place.left() == (0, 0)


def test_a_process_that_begins_meanwhile_keeps_its_store(
    treering: Treering, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.do(place.store(), place.topics())
    with asyncio.Runner() as elsewhere:

        async def then_somebody_begins(kafka: str, found: OnKafka) -> None:
            await remove(kafka, found)
            await asyncio.to_thread(elsewhere.run, place.begin())

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("treering.bus.removal.remove", then_somebody_begins)
            said = treering("destroy", place.namespace, "--yes")
        elsewhere.run(place.end())
    assert (said.status, "which began meanwhile: stop it" in said.err) == (1, True)
    assert place.left() == (2, 0)


@pytest.mark.parametrize("half", ["store", "topics"])
def test_what_is_left_of_a_half_is_removed(treering: Treering, place: Place, half: str) -> None:
    place.do(getattr(place, half)())
    assert treering("destroy", place.namespace, "--yes").status == 0
    assert place.left() == (0, 0)
    said = treering("destroy", place.namespace, "--yes")
    assert (said.status, said.out.startswith(f"There is nothing of {place.namespace} on")) == (
        0,
        True,
    )


def test_a_topic_that_no_service_makes_is_left(treering: Treering, place: Place) -> None:
    own = f"{place.namespace}.once-more"
    place.do(place.topics(), place.topic(own))
    said = treering("destroy", place.namespace, "--yes")
    assert said.status == 0
    assert f"the topic {own}, which no service makes" in said.lines
    assert f"the topic {own}, which" not in treering("destroy", place.namespace).out


REPORTS = """
create schema {0}_reports;
create view {0}_reports.count as select count(*) from {0}.events;
create materialized view {0}_reports.more as select * from {0}_reports.count;
create table {0}_reports.names (stream text references {0}.stream);
"""


def test_what_others_have_made_of_it_goes_only_when_somebody_agrees(
    treering: Treering, place: Place, typing: Callable[[str], None]
) -> None:
    schema = place.namespace.replace("-", "_")
    place.do(place.store(), place.topics(), place.sql(REPORTS.format(schema)))
    leaning = [
        f"foreign key names_stream_fkey of {schema}_reports.names, which is not the service's own",
        f"view {schema}_reports.count, which is not the service's own",
        f"view {schema}_reports.more, which is not the service's own",
    ]
    typing("no\n")
    assert [line for line in treering("destroy", place.namespace).lines if "own" in line] == leaning
    said = treering("destroy", place.namespace, "--yes")
    assert said.status == 1
    assert f"Others go with it, such as {leaning[0].partition(',')[0]}" in said.err
    assert place.left() == (2, 5)
    typing(f"{place.namespace}\n")
    assert treering("destroy", place.namespace).status == 0
    place.do(place.sql(f"drop schema {schema}_reports cascade"))


def test_a_schema_that_is_somebody_elses_is_left(treering: Treering, place: Place) -> None:
    schema = place.namespace.replace("-", "_")
    place.do(place.topics(), place.sql(f"create schema {schema} create table sales (id int)"))
    said = treering("destroy", place.namespace, "--yes")
    assert (said.status, f"holds something, but no store of {place.namespace!r}" in said.err) == (
        1,
        True,
    )
    place.do(place.sql(f"drop table {schema}.sales"))
    assert place.left() == (1, 5)


@pytest.mark.parametrize(
    ("schema", "what", "told"),
    [
        ("{}_read", "create table {}_read.sales (id int)", "no read models"),
        ("{}", "create function {}.one() returns int language sql as 'select 1'", "no store"),
    ],
)
def test_what_is_no_service_is_left_whatever_it_holds(
    treering: Treering, place: Place, schema: str, what: str, told: str
) -> None:
    name = place.namespace.replace("-", "_")
    made = f"create schema {schema.format(name)}; {what.format(name)}"
    place.do(place.sql(made))
    said = treering("destroy", place.namespace, "--yes")
    assert (said.status, told in said.err) == (1, True)
    place.do(place.sql(f"drop schema {schema.format(name)} cascade"))


def test_only_the_owner_destroys(
    treering: Treering, place: Place, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREERING_DATABASE_OWNER", database.writer)
    said = treering("destroy", place.namespace, "--yes")
    assert said.status == 1
    assert "does not belong to 'treering_writer': name its owner in TREERING_DATABASE_OWNER" in (
        said.err
    )


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("TREERING_KAFKA", "127.0.0.1:1", "Kafka at 127.0.0.1:1 did not answer"),
        ("TREERING_DATABASE_OWNER", "postgresql://nobody@127.0.0.1:1/x", "PostgreSQL did not"),
    ],
)
def test_nothing_is_removed_while_a_server_is_away(
    treering: Treering,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    complaint: str,
) -> None:
    place.do(place.store(), place.topics())
    with monkeypatch.context() as away:
        away.setenv(setting, value)
        said = treering("destroy", place.namespace, "--yes")
    assert (said.status, complaint in said.err) == (1, True), said.err
    assert place.left() == (2, 5)


@pytest.mark.parametrize("name", ["Rain", "rain-read", "public", "pg-catalog"])
def test_what_is_no_name_of_a_service_is_not_looked_for(treering: Treering, name: str) -> None:
    assert f"{name!r} is no name of a service" in treering("destroy", name, "--yes").err


def test_without_servers_it_says_how_to_name_them(
    treering: Treering, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No Kafka is named" in treering("destroy", "rain").err
    monkeypatch.setenv("TREERING_KAFKA", "127.0.0.1:1")
    assert "or set TREERING_DATABASE_OWNER" in treering("destroy", "rain").err


@contextmanager
def dev(folder: Path) -> Generator[Service]:
    with closing(Service(folder, reader(folder))) as running:
        yield running


@pytest.mark.timeout(240)
def test_in_the_folder_of_dev_its_servers_are_started_for_it(
    treering: Treering, folder: Path
) -> None:
    with dev(folder):
        treering("command", "station.create", "name=first")
        said = treering("destroy", "rainfall", "--yes")
        assert (said.status, "treering dev runs rainfall here" in said.err) == (1, True)
        said = treering("destroy", "another", "--yes")
        assert (said.status, "There is nothing of another on" in said.out) == (0, True)
    said = treering("destroy", "rainfall", "--yes")
    assert said.status == 0
    assert any(line.startswith("schemas rainfall, rainfall_read:") for line in said.lines)
    assert f"the servers of {folder / '.treering'}, with their files" in said.out
    with dev(folder):
        assert treering("events", "tail").out.strip() == ""
        assert treering("command", "station.create", "name=first").json["positions"] == [1, 1]
