"""One committer per process: what waits goes into one autocommitted call, each gets its answer.

The commit in flight is the batching window: a lone caller waits for nobody, load makes batches.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from traceback import format_exception
from typing import Any

import asyncpg
import structlog

from treering.errors import BadRequest, StoreError, StoreNotReady, StoreUnavailable
from treering.sql import statement
from treering.store.call import answers, arguments
from treering.store.connecting import answered_within, connect, translated
from treering.store.page import PAGE_BYTES
from treering.store.request import Answer, Hindered, Request
from treering.store.statistics import Statistics

_MOST = 2000
"""Events, and requests, of one call."""
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

_SCANNED = 3 * _MOST
"""Requests that are looked at for one call when many want the same stream."""
_log = structlog.stdlib.get_logger(__name__)


type _Result = Answer | StoreError


class _Caller:
    """Waits for the answers to all that it asked for."""

    def __init__(self, asked: int) -> None:
        self.all: asyncio.Future[list[_Result]] = asyncio.get_running_loop().create_future()
        self._found: dict[int, _Result] = {}
        self._asked = asked

    def told(self, place: int, result: _Result) -> None:
        """Take the answer to what it asked for at *place*; the first one stands."""
        self._found.setdefault(place, result)
        if len(self._found) == self._asked and not self.all.done():
            self.all.set_result([self._found[place] for place in range(self._asked)])


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request, what it touches (streams, command ids, keys), and who waits for its answer."""

    request: Request
    names: list[str]
    size: int
    """Characters of its events."""
    caller: _Caller
    place: int

    def settle(self, result: _Result) -> None:
        """Tell the caller."""
        self.caller.told(self.place, result)


class Committer:
    """Appends requests to the store of one schema over one connection of its own."""

    def __init__(self, url: str, schema: str) -> None:
        self.statistics = Statistics()
        self._url = url
        self._settings = {
            "search_path": schema,
            "application_name": f"treering {schema} committer",
            "idle_in_transaction_session_timeout": "10s",
            "lock_timeout": f"{round(_ANSWER_SECONDS * 500)}ms",
            **_PLANS,
        }
        self._queue: deque[_Waiting] = deque()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._connection: asyncpg.Connection | None = None
        self._closing = False
        self._failed = False
        self._loop_task: asyncio.Task[None] | None = None

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
        caller = _Caller(len(requests))
        for place, request in enumerate(requests):
            size = sum([len(entry.body) for entry in request.entries])
            self._queue.append(_Waiting(request, _names(request), size, caller, place))
        self.statistics.waiting = len(self._queue)
        self._more.set()
        if self.statistics.waiting >= _WAITING:
            self._room.clear()
        return await caller.all

    async def _run(self) -> None:
        """Commit until it is closed; a fault ends it for good, and the process with it."""
        batch: list[_Waiting] = []
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

    async def _next(self) -> list[_Waiting]:
        """Return what goes into the next call, nothing if it was woken to close."""
        if not self._queue:
            self._more.clear()
            await self._more.wait()
        batch = self._take()
        self.statistics.waiting = len(self._queue)
        if self.statistics.waiting < _WAITING:
            self._room.set()
        return batch

    def _take(self) -> list[_Waiting]:
        """Take requests that share nothing, in order; one that does waits for the next call."""
        batch: list[_Waiting] = []
        left: list[_Waiting] = []
        seen: set[str] = set()
        events = characters = 0
        queue = self._queue
        while (
            queue
            and events < _MOST
            and characters < PAGE_BYTES
            and len(batch) < _MOST
            and len(left) < _SCANNED
        ):
            waiting = queue.popleft()
            if waiting.caller.all.done():
                continue
            if seen.isdisjoint(waiting.names):
                batch.append(waiting)
                events += len(waiting.request.entries)
                characters += waiting.size
            else:
                left.append(waiting)
            seen.update(waiting.names)
        queue.extendleft(reversed(left))
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
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
            again: list[_Waiting] = []
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
        values = _encoded(requests)
        with translated(), answered_within(_ANSWER_SECONDS, self._connection):
            (row,) = await self._connection.fetch(statement("append"), *values)
        if row["trouble"] is None:
            events = sum(len(request.entries) for request in requests)
            self.statistics.committed(len(requests), events, time.perf_counter() - began)
        return answers(requests, row["base"], row["at"], row["trouble"])


def _failure() -> StoreNotReady:
    return StoreNotReady("The committer has failed, see the log; start this process again.")


def _encoded(requests: Sequence[Request]) -> list[list[Any]]:
    try:
        return arguments(requests)
    except (TypeError, ValueError) as error:
        raise BadRequest(f"It cannot be written as JSON: {error}.") from error


def _names(request: Request) -> list[str]:
    """Return the streams, command ids and keys that a request touches."""
    names = [stand.stream for stand in request.stands]
    names += [ruling.verdict.id for ruling in request.rulings]
    if request.taken or request.released:
        names += [key.key for key in request.taken]
        names += [key.key for key in request.released]
    return names
