"""Where a command works: on the addresses that settings name, else on those `dev` announced."""

import os
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from treering import bus
from treering.app import App, load, named
from treering.app.comparison import schemas_of
from treering.cli.output import warn
from treering.dev import announcement
from treering.dev.announcement import Announcement
from treering.query import ReservedName
from treering.roots import home_of
from treering.settings import Settings
from treering.store import PoolOptions, Reader

_PATIENCE = 3.0


def settings() -> Settings:
    """Return the environment's settings, with the addresses of a `treering dev` in this folder.

    All addresses are of one place: where the environment names another, it is said that none of
    those of `treering dev` is used.
    """
    found = Settings.read(os.environ)
    if (running := announcement.read(home_of(found))) is None:
        return found
    if others := running.contradicted(found):
        warn(
            f"The treering dev that runs here is elsewhere than {' and '.join(others)}, so that "
            "none of its addresses is used."
        )
    return running.settings(found)


def beside(app: App) -> Announcement | None:
    """Return the `treering dev` of this folder, if it is the one that commands work on."""
    running = announcement.read(app.home)
    return running if running and not running.contradicted(app.settings) else None


def loaded(*, projections: bool = False) -> App:
    """Return the application of this folder; what is warned of, those who run it have said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReservedName)
        return load(settings(), projections=projections)


def database(app: App) -> str:
    """Return the URL for reading; raises SettingsError when nothing names one."""
    return named(
        app.settings.database_reader or app.settings.database, "database", "TREERING_DATABASE"
    )


def database_owner(app: App) -> str:
    """Return the URL for migrations; raises SettingsError when nothing names one."""
    return named(
        app.settings.database_owner or app.settings.database, "database", "TREERING_DATABASE"
    )


def kafka(app: App) -> str:
    """Return Kafka's address; raises SettingsError when nothing names one."""
    return named(app.settings.kafka, "Kafka", "TREERING_KAFKA")


@asynccontextmanager
async def reader(app: App) -> AsyncGenerator[Reader]:
    """Open the store for reading; a command waits for it only briefly."""
    pool = PoolOptions(max=2, timeout=app.settings.pool_timeout)
    opened = await Reader.open(
        database(app), namespace=app.namespace, pool=pool, retry_seconds=_PATIENCE
    )
    async with opened:
        yield opened


@asynccontextmanager
async def client(app: App) -> "AsyncGenerator[bus.Client]":
    """Connect to Kafka as someone who publishes from a terminal."""
    made = bus.Client(
        kafka(app),
        namespace=app.namespace,
        secret=app.secret(),
        source="/cli",
        actor="cli",
        schemas=schemas_of(app),
    )
    async with made:
        yield made
