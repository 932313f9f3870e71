"""The gateway, put together: which parts it has, and what they answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from treering.bus import Client
from treering.gateway.app import Gateway
from treering.gateway.asking import Asking
from treering.gateway.broker import Broker
from treering.gateway.collection import Collection, Table
from treering.gateway.entities.bulk import Bulk
from treering.gateway.entities.export import AT_ONCE, Exports
from treering.gateway.entities.figures import Figures
from treering.gateway.entities.operations import Operations
from treering.gateway.entities.past import Past
from treering.gateway.entities.questions import Questions
from treering.gateway.entities.reads import EntityReads, Reads
from treering.gateway.entities.writes import Writes
from treering.gateway.forms import tables_of
from treering.gateway.freshness import Freshness
from treering.gateway.http.guard import Guard
from treering.gateway.http.origin import names_of
from treering.gateway.http.patience import Patience
from treering.gateway.http.policies import policed
from treering.gateway.http.routes import Routes
from treering.gateway.http.shielding import Shield
from treering.gateway.live import Live, LiveOptions, Tail
from treering.gateway.mounting import Mounts
from treering.gateway.openapi import OpenApi
from treering.gateway.pages import Docs, Home
from treering.gateway.positions import Epoch
from treering.gateway.service.about import About, exposed
from treering.gateway.service.audit import Audit
from treering.gateway.service.batch import Batch
from treering.gateway.service.commands import Commands
from treering.gateway.service.dead import DeadLetters
from treering.gateway.service.health import Health, live
from treering.gateway.service.keys import ApiKeys
from treering.gateway.service.pulse import Pulse
from treering.gateway.service.schemas import Schemas
from treering.gateway.switches import Servings, Switched, is_served
from treering.reading import ReadModels
from treering.registry import Registry
from treering.schema import SchemaRegistry
from treering.service import Service
from treering.store import Reader

_OPEN = Guard()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a gateway is put together from; whoever opened them closes them."""

    service: Service
    collections: Sequence[Collection]
    """The entities that are served."""
    tables: Sequence[Table] = ()
    """The further read models that are."""
    registry: Registry
    schemas: SchemaRegistry
    reader: Reader
    read_models: ReadModels
    client: Client
    """Started; signs."""
    kafka: str
    """`HOST:PORT`, asked whether it answers."""
    host: str = "127.0.0.1"
    """Where it listens: on loopback it answers to the names of loopback only."""
    allowed_hosts: str | None = None
    """The names that it answers to besides, joined by commas; elsewhere instead of any."""
    guard: Guard = _OPEN
    """Who is let in; everybody unless told."""
    cors_origins: str | None = None
    """Origins of other sites whose pages may ask, joined by commas."""
    hsts_seconds: int | None = None
    """Seconds for which browsers are told to come over HTTPS only."""
    wait_seconds: float = 10
    """Seconds a request waits for its command's outcome."""
    visible_seconds: float = 1
    """Seconds it waits for a read model."""
    list_max: int = 100_000
    """Rows of a list that is asked for whole."""
    request_seconds: float = 30
    """Seconds until the answer to a request begins; writes have the two waits besides."""
    compress_from: int = 1024
    """Bytes from which on an answer is packed, for who can unpack it."""
    mounts: Mounts = field(default_factory=Mounts)
    """What stands beside the API."""
    live: LiveOptions = field(default_factory=LiveOptions)
    """How much is kept for those who are told what happens."""


def build(parts: Parts) -> Gateway:
    """Return the gateway of *parts*; raises DeclarationError if two would answer one address."""
    routes = Routes()
    epoch = Epoch(parts.reader)
    broker = Broker(parts.kafka, parts.reader.namespace)
    asking = Asking(
        parts.client,
        broker,
        parts.reader,
        parts.registry,
        parts.read_models,
        epoch,
        own={each.kind: each.read_model for each in parts.collections},
        wait_seconds=parts.wait_seconds,
        visible_seconds=parts.visible_seconds,
    )
    tail = Tail(parts.reader, epoch, parts.registry, parts.live)
    _introduce(parts, routes, epoch, broker, tail)
    dead = DeadLetters(parts.kafka, parts.reader.namespace)
    Schemas(parts.schemas).add_to(routes)
    servings = Servings(parts.collections)
    Commands(asking, parts.reader, parts.registry, dead, servings).add_to(routes)
    telling = Live(
        [each for each in parts.collections if is_served(each, "GET", each.path)],
        tail,
        parts.reader,
        epoch,
        parts.registry,
        parts.read_models,
        guard=parts.guard,
        options=parts.live,
        most=parts.list_max,
        patience=parts.visible_seconds,
    )
    telling.add_to(routes)
    ApiKeys(asking, parts.guard).add_to(routes)
    Audit(parts.reader, parts.registry).add_to(routes)
    freshness = Freshness(parts.read_models, epoch, patience=parts.visible_seconds)
    exporting = asyncio.Semaphore(AT_ONCE)
    _add_collections(routes, parts, asking, freshness, exporting)
    _add_tables(routes, parts, freshness, exporting)
    parts.mounts.require_room(routes)
    found = Gateway(
        routes,
        names_of(parts.host, parts.allowed_hosts),
        guard=parts.guard,
        origins=parts.cors_origins,
        shield=Shield(parts.hsts_seconds),
        tables=tables_of([*parts.collections, *parts.tables]),
        compress_from=parts.compress_from,
        patience=Patience(
            seconds=parts.request_seconds, further=parts.wait_seconds + parts.visible_seconds
        ),
        telling=telling,
        mounts=parts.mounts,
    )
    Batch(found).add_to(routes)
    return found


def _add_collections(
    routes: Routes,
    parts: Parts,
    asking: Asking,
    freshness: Freshness,
    exporting: asyncio.Semaphore,
) -> None:
    for collection in parts.collections:
        for each in (collection, *collection.before):
            to = routes if each is collection else routes.leading_to(each.path, collection.path)
            to = policed(to, each.deprecated, each.entity.declaration.cache_control)
            to = Switched(to, each)
            past = Past(each, parts.reader, parts.registry)
            past.add_to(to)
            questions = Questions(each, parts.read_models, freshness)
            EntityReads(each, questions, freshness, past, most=parts.list_max).add_to(to)
            Figures(questions).add_to(to)
            Exports(questions, exporting).add_to(to)
            Writes(each, asking).add_to(to)
            Operations(each, asking).add_to(to)
            Bulk(each, asking).add_to(to)


def _add_tables(
    routes: Routes, parts: Parts, freshness: Freshness, exporting: asyncio.Semaphore
) -> None:
    for each in parts.tables:
        questions = Questions(each, parts.read_models, freshness)
        Reads(questions, freshness, most=parts.list_max).add_to(routes)
        Figures(questions).add_to(routes)
        Exports(questions, exporting).add_to(routes)


def _introduce(parts: Parts, routes: Routes, epoch: Epoch, broker: Broker, tail: Tail) -> None:
    """Add the addresses that say what runs here, how it is, and what it answers."""
    OpenApi(parts.service, parts.collections, parts.tables, parts.read_models).add_to(routes)
    about = About(
        parts.service,
        [*parts.collections, *parts.tables],
        parts.reader,
        epoch,
        parts.read_models,
    )
    about.add_to(routes)
    rules = parts.registry.rulebook.words
    health = Health(parts.reader, epoch, parts.read_models, broker, rules)
    health.add_to(routes)
    Pulse(health.health, tail).add_to(routes)
    Home(
        service=parts.service,
        collections=[*parts.collections, *parts.tables],
        about=about,
        health=health,
        read_models=parts.read_models,
    ).add_to(routes)
    Docs(parts.service).add_to(routes)


def figures() -> Gateway:
    """Return what a process that is no gateway serves: `/metrics` and `/health/live`."""
    routes = Routes()
    routes.add("GET", "/metrics", exposed)
    routes.add("GET", "/health/live", live)
    return Gateway(routes)
