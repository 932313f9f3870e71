"""One committer per process: what waits goes into one autocommitted call, each gets its answer.

The commit in flight is the batching window: a lone caller waits for nobody, load makes batches.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from traceback import format_exception
from typing import Any

import asyncpg
import structlog

from treering.errors import BadRequest, StoreError, StoreNotReady, StoreUnavailable
from treering.rulebook import Words, digest_of
from treering.sql import statement
from treering.store.call import answers, arguments
from treering.store.connecting import answered_within, connect, schema_of, translated
from treering.store.request import Answer, Hindered, Request
from treering.store.rules import require_same, stored_rules
from treering.store.statistics import Statistics
from treering.store.waiting import Caller, Waiting, queued, take

_WAITING = 20_000
"""Requests that may wait before `append` makes its caller wait."""
_ANSWER_SECONDS = 30.0
"""How long a call may take before its connection is given up."""
_CLOSE_SECONDS = 5.0
_PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "synchronous_commit": "on",
}
"""What makes one plan serve every call; nobody else uses this connection."""

_OTHER_RULES = "rules"
_log = structlog.stdlib.get_logger(__name__)


class Committer:
    """Appends requests to the store of one schema over one connection of its own."""

    def __init__(self, url: str, namespace: str) -> None:
        schema = schema_of(namespace)
        self.statistics = Statistics()
        self._namespace = namespace
        self._rules: Words = frozenset()
        self._digest: str | None = None
        """Of the rules that requests are decided by; None: they were decided by none."""
        self._url = url
        self._settings = {
            "search_path": schema,
            "application_name": f"treering {schema} committer",
            "idle_in_transaction_session_timeout": "10s",
            "lock_timeout": f"{round(_ANSWER_SECONDS * 500)}ms",
            **_PLANS,
        }
        self._queue: deque[Waiting] = deque()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._connection: asyncpg.Connection | None = None
        self._closing = False
        self._failed = False
        self._loop_task: asyncio.Task[None] | None = None

    def obey(self, rules: Words) -> None:
        """Append only as long as the store keeps these *rules*."""
        self._rules, self._digest = rules, digest_of(rules)

    async def start(self) -> None:
        """Connect and begin; raises StoreUnavailable or StoreNotReady."""
        self._connection = await connect(self._url, settings=self._settings)
        self._loop_task = asyncio.create_task(self._run(), name="committer")

    async def stop(self) -> None:
        """Finish what waits, then close."""
        self._closing = True
        self._more.set()
        loop, self._loop_task = self._loop_task, None
        try:
            if loop is not None:
                await loop
        finally:
            if self._connection is not None:
                with suppress(TimeoutError):
                    await self._connection.close(timeout=_CLOSE_SECONDS)

    async def append(self, request: Request) -> Answer:
        """Append *request*, all or none, and say how it went.

        Durable once it returns `Appended`. StoreUnavailable leaves open whether it was done: ask
        for the verdicts of its commands. BadRequest: nothing was done, and nothing will be.
        StoreNotReady: nothing will be done by this process; start it again.
        """
        (answer,) = await self.append_all([request])
        if isinstance(answer, StoreError):
            raise answer
        return answer

    async def append_all(self, requests: Sequence[Request]) -> list[Answer | StoreError]:
        """Append each of *requests* as `append` does; return answers and errors in order."""
        while not self._room.is_set():
            await self._room.wait()
        if self._failed:
            raise _failure()
        if self._closing:
            raise StoreUnavailable("The store is closing.")
        if not requests:
            return []
        caller = Caller(len(requests))
        for place, request in enumerate(requests):
            self._queue.append(queued(request, caller, place))
        self.statistics.waiting = len(self._queue)
        self._more.set()
        if self.statistics.waiting >= _WAITING:
            self._room.clear()
        return await caller.all

    async def _run(self) -> None:
        """Commit until it is closed; a fault ends it for good, and the process with it."""
        batch: list[Waiting] = []
        error: StoreError = StoreUnavailable("The store has stopped.")
        try:
            while self._queue or not self._closing:
                batch = await self._next()
                await self._commit(batch)
        except Exception as fault:  # noqa: BLE001 - the outermost loop of the committer
            self._failed = True
            error = _failure()
            _log.error("The committer failed", exception="".join(format_exception(fault)))
        finally:
            self._closing = True
            self._room.set()
            for waiting in (*batch, *self._queue):
                waiting.settle(error)

    async def _next(self) -> list[Waiting]:
        """Return what goes into the next call, nothing if it was woken to close."""
        if not self._queue:
            self._more.clear()
            await self._more.wait()
        batch = take(self._queue)
        self.statistics.waiting = len(self._queue)
        if self.statistics.waiting < _WAITING:
            self._room.set()
        return batch

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        """Answer *batch*: go again without those that were hindered, halve it if it was refused."""
        while batch:
            try:
                found = await self._call([waiting.request for waiting in batch])
            except BadRequest as error:
                if len(batch) == 1:
                    batch[0].settle(error)
                    return
                middle = len(batch) // 2
                await self._commit(batch[:middle])
                await self._commit(batch[middle:])
                return
            except StoreError as error:
                for waiting in batch:
                    waiting.settle(error)
                return
            again: list[Waiting] = []
            for waiting, answer in zip(batch, found, strict=True):
                if answer is None:
                    again.append(waiting)
                else:
                    waiting.settle(answer)
            self.statistics.hindered += sum(isinstance(answer, Hindered) for answer in found)
            batch = again

    async def _call(self, requests: Sequence[Request]) -> list[Answer | None]:
        began = time.perf_counter()
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, settings=self._settings)
        values = _encoded(requests, self._digest)
        with translated(), answered_within(_ANSWER_SECONDS, self._connection):
            (row,) = await self._connection.fetch(statement("append"), *values)
            if row["trouble"] == _OTHER_RULES:
                stored = await stored_rules(self._connection.fetch)
                require_same(self._namespace, self._rules, stored)
                raise StoreUnavailable("The rules of the store were changed and changed back.")
        if row["trouble"] is None:
            events = sum(len(request.entries) for request in requests)
            self.statistics.committed(len(requests), events, time.perf_counter() - began)
        return answers(requests, row["base"], row["at"], row["trouble"])


def _failure() -> StoreNotReady:
    return StoreNotReady("The committer has failed, see the log; start this process again.")


def _encoded(requests: Sequence[Request], rules: str | None) -> list[list[Any]]:
    try:
        return arguments(requests, rules)
    except (TypeError, ValueError) as error:
        raise BadRequest(f"It cannot be written as JSON: {error}.") from error
