"""The gateway, put together from an application; a process without it imports none of this."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from treering import gateway
from treering.app.advising import keep_advising
from treering.app.loading import App, named
from treering.app.parts import kafka_of, patiently, pool_of
from treering.app.serving import tables
from treering.bus import Client
from treering.keys import Keyring, configured_keys, following
from treering.reading import ReadModels, Replicas
from treering.reading.cache import cache_of
from treering.schema import SchemaRegistry
from treering.store import PoolOptions, Reader

_BETWEEN = re.compile(r",(?=postgres(?:ql)?://)")
"""Between two URLs, one of which may name several hosts."""


async def run_gateway(
    app: App, schemas: SchemaRegistry, stop: asyncio.Event, listener: socket.socket | None
) -> None:
    """Answer HTTP until *stop* is set."""
    said = app.settings
    url = named(said.database_reader or said.database, "database", "TREERING_DATABASE")
    pool = replace(pool_of(app), statement=said.read_seconds)
    reader = await Reader.open(
        url, namespace=app.namespace, pool=pool, retry_seconds=said.retry_seconds
    )
    replicas = _replicas(app, reader, pool)
    read_models = _read_models(app, reader, replicas)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(reader)
        if replicas is not None:
            replicas.start()
            stack.push_async_callback(replicas.close)
        stack.push_async_callback(read_models.close)
        read_models.announce()
        client = await stack.enter_async_context(_client(app, schemas))
        stack.enter_context(_running(keep_advising(read_models, client)))
        issued = await stack.enter_async_context(following(reader))
        parts = gateway.Parts(
            service=app.service,
            collections=[gateway.Collection(entity=entity) for entity in app.entities],
            tables=tables(app.projections, app.entities),
            registry=app.registry,
            schemas=schemas,
            reader=reader,
            read_models=read_models,
            client=client,
            kafka=kafka_of(app),
            mounts=gateway.Mounts(app.mounts, root=app.root),
            host=said.host,
            allowed_hosts=said.allowed_hosts,
            cors_origins=said.cors_origins,
            hsts_seconds=said.hsts_seconds,
            guard=gateway.Guard(
                Keyring(issued, configured_keys(said.api_keys, said.api_key_file)),
                header=said.api_key_header,
                open_paths=said.open_paths,
            ),
            wait_seconds=said.wait_seconds,
            visible_seconds=said.visible_seconds,
            list_max=said.list_max,
            compress_from=said.compress_from,
            request_seconds=said.request_seconds,
        )
        served = gateway.build(parts)
        await gateway.serve(
            served,
            said.host,
            said.port,
            stop,
            drain_seconds=said.drain_seconds,
            draining=served.drain,
            listener=listener,
        )


@contextmanager
def _running(task: Coroutine[Any, Any, None]) -> Generator[None]:
    """Run *task* beside all else."""
    running = asyncio.create_task(task)
    try:
        yield
    finally:
        running.cancel()


def _read_models(app: App, reader: Reader, replicas: Replicas | None) -> ReadModels:
    """Return what reads the application's read models."""
    said = app.settings
    cache = cache_of(
        said.cache, namespace=app.namespace, megabytes=said.cache_mb, seconds=said.cache_seconds
    )
    return ReadModels(reader, app.projections, cache=cache, cost=said.read_cost, replicas=replicas)


def _replicas(app: App, primary: Reader, pool: PoolOptions) -> Replicas | None:
    """Return what reads from replicas, if there are any."""
    if app.settings.replicas is None:
        return None
    opening = [
        partial(Reader.open, url, namespace=app.namespace, pool=pool, retry_seconds=1)
        for url in _BETWEEN.split(app.settings.replicas)
    ]
    return Replicas(primary, opening)


@asynccontextmanager
async def _client(app: App, schemas: SchemaRegistry) -> AsyncGenerator[Client]:
    """Start the gateway's client, waiting for Kafka, and for the topics that handlers make."""
    client = Client(
        kafka_of(app),
        namespace=app.namespace,
        secret=app.secret(),
        source="/http",
        actor="http",
        schemas=schemas,
    )
    await patiently(app, client.start)
    try:
        yield client
    finally:
        await client.stop()
