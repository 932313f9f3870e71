"""Runs roles of an application in this process, and lets them finish when it is told to stop."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from typing import Literal

import structlog

from treering.app import parts
from treering.app.comparison import schemas_of
from treering.app.loading import App
from treering.errors import TreeringError
from treering.schema import SchemaRegistry
from treering.store import Store

type Role = Literal["gateway", "handler", "relay", "projector"]
type Work = Callable[[App, Store, asyncio.Event], Coroutine[None, None, None]]

_COLLECTED = (20_000, 10, 10)
"""Objects made before they are looked through for cycles: ten times Python's own number."""
_log = structlog.stdlib.get_logger(__name__)


async def run_until_told(
    app: App,
    roles: Collection[Role],
    *,
    listener: socket.socket | None = None,
    events_bytes: int | None = None,
) -> None:
    """Run *roles* until SIGTERM or SIGINT, then drain; a second signal ends the process at once.

    Raises the TreeringError for which a role can not go on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    seconds = app.settings.drain_seconds

    def told() -> None:
        if stop.is_set():
            os._exit(1)
        _log.info("stopping", roles=sorted(roles), within_seconds=seconds)
        _end_after(seconds)
        stop.set()

    collect_less()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    try:
        await run(app, roles, stop, listener=listener, events_bytes=events_bytes)
    except ExceptionGroup as group:
        raise _first(group) from group


async def run(
    app: App,
    roles: Collection[Role],
    stop: asyncio.Event,
    *,
    listener: socket.socket | None = None,
    events_bytes: int | None = None,
) -> None:
    """Run *roles* until *stop* is set: the gateway ends first, as it waits for what others do.

    The gateway listens on *listener*, else where the settings say. *events_bytes* bounds each
    events topic that is made. When one role fails all end; raises an ExceptionGroup then.
    Raises DeclarationError, and runs nothing, if what is declared contradicts what was released.
    """
    schemas = schemas_of(app)
    behind = asyncio.Event()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        front: list[asyncio.Task[None]] = []
        if "gateway" in roles:
            run_gateway = import_module("treering.app.front").run_gateway
            front = [group.create_task(run_gateway(app, schemas, stop, listener), name="gateway")]
        if back := [role for role in roles if role != "gateway"]:
            works = _works(schemas, alone=len(roles) == 1)
            await parts.make_topics(app, events_bytes=events_bytes)
            store = await stack.enter_async_context(parts.store(app))
            for role in back:
                group.create_task(works[role](app, store, behind), name=role)
            group.create_task(parts.measure(app, store, behind), name="measure")
            group.create_task(parts.keep_verdicts(app, store, behind), name="verdicts")
        _log.info("running", roles=sorted(roles))
        await stop.wait()
        if front:
            await asyncio.wait(front)
        behind.set()


def _works(schemas: SchemaRegistry, *, alone: bool) -> Mapping[str, Work]:
    """Return what the roles behind the gateway do, each of them *alone* in its process or not."""
    return {
        "handler": partial(parts.run_handler, schemas=schemas),
        "relay": parts.run_relay if alone else parts.keep_relay,
        "projector": parts.run_projector,
    }


def collect_less() -> None:
    """Have the collector pass over what was imported, which stays: it is most of what there is."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED)


def _end_after(seconds: float) -> None:
    """End the process in *seconds*, whatever it still does: what is not finished is done again."""
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """Return the error to tell a person: the first of ours, else the first."""
    errors = [*_flat(group)]
    return next((each for each in errors if isinstance(each, TreeringError)), errors[0])


def _flat(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _flat(each)
        else:
            yield each
