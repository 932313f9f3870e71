"""The roles behind the gateway, put together from an application: one coroutine a role."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import stamina
import structlog

from treering import metrics
from treering.app.loading import App, named
from treering.bus import Handler, HandlerOptions, Topics, create_topics
from treering.errors import BusError, RelayStopped, StoreUnavailable
from treering.handling import Handling, Tell
from treering.keys import Keyring, configured_keys, following
from treering.message import Outcome, Received
from treering.projection import Projector, ProjectorOptions
from treering.relay import Relay, RelayOptions
from treering.schema import SchemaRegistry
from treering.store import PoolOptions, Store

_PARTITIONS = 12
_SESSION_SECONDS = 6.0
_DECISION_SECONDS = 5.0
_SWEEP_SECONDS = 3600.0
_log = structlog.stdlib.get_logger(__name__)


def pool_of(app: App) -> PoolOptions:
    """Return how the application connects to its database."""
    said = app.settings
    return PoolOptions(
        min=said.pool_min, max=said.pool_max, timeout=said.pool_timeout, recycle=said.pool_recycle
    )


def kafka_of(app: App) -> str:
    """Return Kafka's address; raises SettingsError when nothing names one."""
    return named(app.settings.kafka, "Kafka", "TREERING_KAFKA")


async def make_topics(app: App, *, events_bytes: int | None = None) -> None:
    """Make the topics that are not there, trying again while Kafka does not answer."""
    kafka, said = kafka_of(app), app.settings

    async def make() -> None:
        await create_topics(
            kafka,
            Topics(app.namespace),
            [*app.registry.deciders],
            partitions=said.partitions or _PARTITIONS,
            replication=said.replication,
            events_bytes=events_bytes,
        )

    await patiently(app, make)


@asynccontextmanager
async def store(app: App) -> AsyncGenerator[Store]:
    """Open the store for appending."""
    url = named(app.settings.database, "database", "TREERING_DATABASE")
    opened = await Store.open(
        url, namespace=app.namespace, pool=pool_of(app), retry_seconds=app.settings.retry_seconds
    )
    try:
        await opened.begin(unsafe_durability=app.settings.unsafe_durability)
        yield opened
    finally:
        await opened.close()


async def run_handler(
    app: App, store: Store, stop: asyncio.Event, *, schemas: SchemaRegistry
) -> None:
    """Decide commands until *stop* is set."""
    said = app.settings
    await store.obey(app.registry.rulebook.words)
    configured = configured_keys(said.api_keys, said.api_key_file)
    async with following(store) as issued:
        ring = Keyring(issued, configured)
        await _handler(app, store, schemas, lambda: not (said.kafka_open or ring.is_open)).run(stop)


def _handler(
    app: App, store: Store, schemas: SchemaRegistry, require_signature: Callable[[], bool]
) -> Handler:
    said = app.settings
    options = HandlerOptions(
        batch=said.batch,
        session_seconds=said.session_seconds or _SESSION_SECONDS,
        drain_seconds=said.drain_seconds,
        retry_seconds=said.retry_seconds,
        require_signature=require_signature,
    )
    return Handler(
        kafka_of(app),
        namespace=app.namespace,
        handling=Measured(Handling(store, app.registry)),
        store=store,
        registry=app.registry,
        schemas=schemas,
        secret=app.secret(),
        options=options,
    )


async def run_relay(app: App, store: Store, stop: asyncio.Event) -> None:
    """Send events to Kafka until *stop* is set."""
    relay = Relay(
        kafka_of(app),
        namespace=app.namespace,
        store=store,
        registry=app.registry,
        options=RelayOptions(drain_seconds=app.settings.drain_seconds),
    )
    await relay.run(stop)


async def keep_relay(app: App, store: Store, stop: asyncio.Event) -> None:
    """Do so beside other roles, which go on while an operator has to decide what the relay does."""
    while not stop.is_set():
        try:
            await run_relay(app, store, stop)
        except RelayStopped as error:
            _log.error("the relay has stopped", reason=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_DECISION_SECONDS):
                    await stop.wait()


async def run_projector(app: App, store: Store, stop: asyncio.Event) -> None:
    """Fold events into read models until *stop* is set."""
    projector = Projector(
        store,
        app.registry,
        app.projections,
        namespace=app.namespace,
        options=ProjectorOptions(accepts=app.settings.accept_read_models),
    )
    await projector.run(stop)


class Measured:
    """Handling, with every batch counted."""

    def __init__(self, handling: Handling) -> None:
        self._handling = handling

    async def handle(self, batch: Sequence[Received[Any]], tell: Tell) -> list[Outcome]:
        """Return the outcome of each command."""
        began = time.perf_counter()
        outcomes = await self._handling.handle(batch, tell)
        seconds = time.perf_counter() - began
        types = (received.type for received in batch)
        metrics.handled(types, (outcome.outcome for outcome in outcomes), seconds)
        return outcomes


async def measure(_app: App, store: Store, stop: asyncio.Event) -> None:
    """Show regularly what the store's connections do."""
    await metrics.take_regularly(
        [
            lambda: metrics.take_commits(store.statistics),
            lambda: metrics.take_pool("writer", store.pool),
        ],
        stop,
    )


async def keep_verdicts(_app: App, store: Store, stop: asyncio.Event) -> None:
    """Make room for tomorrow's verdicts and drop the oldest, now and then."""
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_SWEEP_SECONDS):
                await stop.wait()
                return
        try:
            await store.keep_verdicts()
        except StoreUnavailable as error:
            _log.warning("verdicts were not swept; trying again later", reason=str(error))


async def patiently(app: App, work: Callable[[], Awaitable[None]]) -> None:
    """Do *work*, again and again while Kafka does not answer, as long as the settings allow."""
    retry = stamina.AsyncRetryingCaller(
        timeout=app.settings.retry_seconds, attempts=None, wait_initial=0.05, wait_max=1
    )
    await retry(BusError, work)
