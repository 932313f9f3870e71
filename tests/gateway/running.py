"""A whole service in this process: handler, projector and gateway on real servers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx2
from msgspec import Meta
from pydantic import Field

from treering import gateway
from treering.app.serving import tables
from treering.bus import Client, Handler, HandlerOptions, Topics, create_topics
from treering.decider import Decider
from treering.domain.api_key import api_key
from treering.domain.config import StoredConfig
from treering.domain.index_advice import index_advice
from treering.embedded import Addresses
from treering.entity import Created, Entity, EntityState, Updated
from treering.errors import Refusal
from treering.gateway import Gateway
from treering.gateway.live import LiveOptions
from treering.handling import Handling
from treering.keys import Keyring, following
from treering.message import Command, Event, Received, Recorded
from treering.projection import Projection, Projector
from treering.reading import ReadModels
from treering.registry import Registry
from treering.schema import SchemaRegistry
from treering.service import Service
from treering.store import Reader, Store, migrations
from treering.store.backfill import upgrade_rules
from treering.store.connecting import url_for

SECRET = b"tests"
BROKEN = "broken"
"""A model with which no run can be decided: the rule itself fails."""


class Dataset(Entity, unique={"name"}, formerly={"tables"}):
    name: str
    rows: int = 0
    notes: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Gauge(Entity, served={"list", "read", "update"}):
    """Is made and deleted on Kafka alone."""

    name: str


class Fill(Command, type="dataset.fill.v1"):
    """Add rows."""

    rows: Annotated[int, Meta(ge=1)]


class Reset(Command, type="dataset.reset.v1"):
    """Take all rows away."""


class Draw(Command, type="dataset.draw.v1"):
    """Make a dataset of so many rows."""

    name: str
    rows: int = 10


class IsEmpty(Refusal, word="is-empty", title="The dataset is empty"):
    """There is nothing to take away."""


@Dataset.command(Fill)
def _fill(state: EntityState, received: Received[Fill]) -> Sequence[Event]:
    return [Updated(fields={"rows": state.fields["rows"] + received.command.rows})]


@Dataset.command(Reset)
def _reset(state: EntityState, received: Received[Reset]) -> Sequence[Event]:
    if not state.fields["rows"]:
        raise IsEmpty(f"{received.stream} has no rows.")
    return [Updated(fields={"rows": 0})]


@Dataset.command(Draw, creates=True)
def _draw(_state: EntityState, received: Received[Draw]) -> Sequence[Event]:
    said = received.command
    return [Created(fields={"name": said.name, "rows": said.rows})]


class StartRun(Command, type="run.start.v1"):
    model: str


class RunStarted(Event, type="run.started.v1"):
    model: str


class RunIsGoing(Refusal, word="run-is-going", title="The run is going"):
    """It was started already."""


def _start(going: bool, received: Received[StartRun]) -> Sequence[Event]:  # noqa: FBT001
    if received.command.model == BROKEN:
        raise ZeroDivisionError(BROKEN)
    if going:
        raise RunIsGoing(f"{received.stream} is going already.")
    return [RunStarted(model=received.command.model)]


def _started(_going: bool, _recorded: Recorded[Any]) -> bool:  # noqa: FBT001
    return True


RUN = Decider(
    kind="run",
    initial=False,
    decide=_start,
    evolve=_started,
    commands=[StartRun],
    events=[RunStarted],
    creates=frozenset({"run.start.v1"}),
)
ENTITIES = (Dataset, Gauge, StoredConfig)


@dataclass(kw_only=True)
class Running:
    """The service under test."""

    url: str
    http: httpx2.AsyncClient
    reader: Reader
    registry: Registry
    client: Client
    stop: asyncio.Event
    """Ends the gateway."""
    serving: asyncio.Task[None] = field(repr=False)
    app: Gateway = field(repr=False)
    parts: gateway.Parts = field(repr=False)
    """What the gateway is made of."""

    def served(self) -> Sequence[tuple[str, str]]:
        """Return the methods and paths that are answered."""
        return [(method, each.path) for each in self.app.routes.all() for method in each.methods]


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What is there, and how long it is waited for."""

    reader_role: str = "treering_reader"
    configured: Sequence[str] = ()
    """API keys."""
    handles: bool = True
    projects: bool = True
    """Whether read models go on once they are there."""
    further: Sequence[Projection] = ()
    """Read models beside the entities' own, or in their place."""
    is_ready: bool = True
    """Whether it becomes ready."""
    wait_seconds: float = 10
    visible_seconds: float = 2
    list_max: int = 100_000
    live: LiveOptions = field(default_factory=LiveOptions)
    drain_seconds: float = 5


NORMAL = Circumstances()


@asynccontextmanager
async def running(
    servers: Addresses, namespace: str, circumstances: Circumstances = NORMAL
) -> AsyncGenerator[Running]:
    owner = servers.database
    await migrations.upgrade(
        owner, namespace, writer="treering_writer", reader=circumstances.reader_role
    )
    registry = Registry([*(entity.decider() for entity in ENTITIES), RUN, api_key, index_advice])
    await upgrade_rules(owner, namespace, registry)
    await create_topics(
        servers.kafka, Topics(namespace), [*registry.deciders], partitions=2, replication=1
    )
    own = {each.name: each for each in map(Projection.of, ENTITIES)}
    projections = [*(own | {each.name: each for each in circumstances.further}).values()]
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            await Store.open(url_for(owner, "treering_writer"), namespace=namespace)
        )
        reader = await stack.enter_async_context(
            await Reader.open(url_for(owner, circumstances.reader_role), namespace=namespace)
        )
        issued = await stack.enter_async_context(following(reader))
        ring = Keyring(issued, circumstances.configured)
        if circumstances.handles:
            handler = _handler(servers, store, registry, ring)
            await stack.enter_async_context(_role(handler.run))
        projector = Projector(store, registry, projections, namespace=namespace)
        projecting = await stack.enter_async_context(_role(projector.run))
        read_models = ReadModels(reader, projections)
        stack.push_async_callback(read_models.close)
        client = await stack.enter_async_context(
            Client(servers.kafka, namespace=namespace, secret=SECRET, source="/tests")
        )
        parts = gateway.Parts(
            service=Service(id="tests", version="1.2.3", description="Under test."),
            collections=[gateway.Collection(entity=entity) for entity in ENTITIES],
            tables=tables(projections, ENTITIES),
            registry=registry,
            schemas=_schemas(),
            reader=reader,
            read_models=read_models,
            client=client,
            kafka=servers.kafka,
            guard=gateway.Guard(ring),
            wait_seconds=circumstances.wait_seconds,
            visible_seconds=circumstances.visible_seconds,
            list_max=circumstances.list_max,
            live=circumstances.live,
        )
        started = await _serve(stack, parts, circumstances)
        if circumstances.configured:
            started.http.headers["X-API-Key"] = circumstances.configured[0]
        if circumstances.is_ready:
            await until(started, "/health/ready", 200)
        if not circumstances.projects:
            projecting.set()
        yield started


def _handler(servers: Addresses, store: Store, registry: Registry, ring: Keyring) -> Handler:
    return Handler(
        servers.kafka,
        namespace=store.namespace,
        handling=Handling(store, registry),
        store=store,
        registry=registry,
        schemas=_schemas(),
        secret=SECRET,
        options=HandlerOptions(session_seconds=1.5, require_signature=lambda: not ring.is_open),
    )


def _schemas() -> SchemaRegistry:
    """Return shapes as a service has them after some releases."""
    found = SchemaRegistry()
    found.add("dataset.create.v1", {"properties": {"name": {}}, "deprecated": True})
    found.add("dataset.create.v2", {"properties": {"title": {}}})
    found.add("dataset.create.v2", {"properties": {"title": {}, "rows": {}}})
    found.register("datasets.v1", lambda: {"title": "datasets"})
    return found


async def _serve(
    stack: AsyncExitStack, parts: gateway.Parts, circumstances: Circumstances
) -> Running:
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    app = gateway.build(parts)
    serving = asyncio.create_task(
        gateway.serve(
            app,
            "127.0.0.1",
            0,
            stop,
            drain_seconds=circumstances.drain_seconds,
            listening=listening.set_result,
            draining=app.drain,
        )
    )

    async def ended() -> None:
        stop.set()
        await serving

    stack.push_async_callback(ended)
    url = await listening
    http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30))
    return Running(
        url=url,
        http=http,
        reader=parts.reader,
        registry=parts.registry,
        client=parts.client,
        stop=stop,
        serving=serving,
        app=app,
        parts=parts,
    )


@asynccontextmanager
async def served(app: Gateway) -> AsyncGenerator[httpx2.AsyncClient]:
    """Serve *app* alone."""
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        gateway.serve(app, "127.0.0.1", 0, stop, listening=listening.set_result)
    )
    async with httpx2.AsyncClient(base_url=await listening) as http:
        yield http
    stop.set()
    await serving


@asynccontextmanager
async def _role(
    run: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
) -> AsyncGenerator[asyncio.Event]:
    """Run a role; what is yielded ends it."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def until(service: Running, path: str, status: int) -> None:
    """Wait until *path* answers with *status*."""
    async with asyncio.timeout(20):
        while (await service.http.get(path)).status_code != status:
            pass


def problem(response: httpx2.Response) -> Mapping[str, Any]:
    """Return the problem that *response* is."""
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == response.status_code
    assert found["instance"] == response.request.url.path
    assert found["type"].startswith("urn:treering:error:")
    assert {"title", "detail"} <= found.keys()
    return found


def word(response: httpx2.Response) -> str:
    """Return the last word of the problem's type."""
    return problem(response)["type"].rpartition(":")[2]
