"""What a service counts and measures, by name, for Prometheus.

Each process shows its own figures. Processes of one machine that share a folder (`sharing`) show
them together, whichever of them is asked: that is how `treering dev` has one `/metrics`.
"""

import asyncio
import os
from collections import Counter as Count
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SHORT = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

disable_created_metrics()
_own = CollectorRegistry()
_process = CollectorRegistry()
ProcessCollector(registry=_process)
PlatformCollector(registry=_process)


def _counter(name: str, help: str, *labels: str) -> Counter:
    return Counter(name, help, labels, registry=_own)


def _gauge(name: str, help: str, *labels: str, mode: str = "mostrecent") -> Gauge:
    return Gauge(name, help, labels, registry=_own, multiprocess_mode=mode)  # pyright: ignore[reportArgumentType]


def _histogram(name: str, help: str, *labels: str, buckets: Sequence[float] = _SHORT) -> Histogram:
    return Histogram(name, help, labels, registry=_own, buckets=buckets)


commands = _counter("treering_commands", "Commands handled, by type.", "type")
outcomes = _counter("treering_outcomes", "Outcomes sent: accepted, nothing, refused.", "outcome")
dead_letters = _counter("treering_dead_letters", "Records set aside, by reason.", "reason")
parked = _counter(
    "treering_parked", "Commands set down for a newer handler, by kind and word.", "kind", "word"
)
batch_commands = _histogram("treering_batch_commands", "Commands of a batch.", buckets=_SIZES)
batch_seconds = _histogram("treering_batch_seconds", "Seconds from a batch's arrival to its end.")
append_events = _histogram("treering_append_events", "Events of an append.", buckets=_SIZES)
append_seconds = _histogram("treering_append_seconds", "Seconds of an append, durable at its end.")
append_waiting = _gauge(
    "treering_append_waiting", "Requests waiting to be appended.", mode="livesum"
)
pool_connections = _gauge(
    "treering_pool_connections", "Database connections.", "role", "state", mode="livesum"
)
store_position = _gauge("treering_store_position", "Position of the newest event.")
relay_position = _gauge("treering_relay_position", "Position up to which events are on Kafka.")
relay_events = _counter("treering_relay_events", "Events sent to Kafka.")
relay_seconds = _histogram("treering_relay_seconds", "Seconds of one transaction of the relay.")
projection_position = _gauge(
    "treering_projection_position", "Position that a read model shows.", "projection"
)
projection_lag = _gauge(
    "treering_projection_lag_events", "Events that a read model does not show yet.", "projection"
)
projection_stopped = _gauge(
    "treering_projection_stopped", "1 if a read model waits for an operator.", "projection"
)
projection_events = _counter("treering_projection_events", "Events folded.", "projection")
projection_seconds = _histogram("treering_projection_seconds", "Seconds of a fold.", "projection")
http_seconds = _histogram(
    "http_server_request_duration_seconds",
    "Seconds from a request to its answer.",
    "http_request_method",
    "http_route",
    "http_response_status_code",
)
live = _gauge(
    "treering_live",
    "Clients that are told what happens, by transport.",
    "transport",
    mode="livesum",
)
live_ended = _counter(
    "treering_live_ended", "Times the gateway has ended it, by the problem it gave.", "reason"
)
cache_reads = _counter(
    "treering_cache_reads",
    "Questions, by what the cache had: hit, miss, or passed where it is not asked.",
    "projection",
    "outcome",
)
cache_refused = _counter(
    "treering_cache_refused", "Answers not kept: a newer one was there, or they were too large."
)
cache_evictions = _counter("treering_cache_evictions", "Answers dropped to make room.")
cache_bytes = _gauge("treering_cache_bytes", "Bytes of the answers kept.", mode="livesum")
behind = _counter("treering_behind", "Answers given before the read model showed the write.")


class Commits(Protocol):
    """What a committer says of its commits."""

    observe: list[tuple[int, float]]
    waiting: int


class Pool(Protocol):
    """A pool of connections."""

    def get_size(self) -> int: ...
    def get_idle_size(self) -> int: ...


def handled(types: Iterable[str], words: Iterable[str], seconds: float) -> None:
    """Count one batch: the types of its commands, the words of their outcomes, its seconds."""
    counted = Count(types)
    for name, number in counted.items():
        commands.labels(name).inc(number)
    for word, number in Count(words).items():
        outcomes.labels(word).inc(number)
    batch_commands.observe(counted.total())
    batch_seconds.observe(seconds)


def take_commits(commits: Commits) -> None:
    """Take the commits that were not taken yet."""
    taken, commits.observe = commits.observe, []
    for events, seconds in taken:
        append_events.observe(events)
        append_seconds.observe(seconds)
    append_waiting.set(commits.waiting)


def take_pool(role: str, pool: Pool) -> None:
    """Take how many connections of *role* are used and idle."""
    idle = pool.get_idle_size()
    pool_connections.labels(role, "idle").set(idle)
    pool_connections.labels(role, "used").set(pool.get_size() - idle)


async def take_regularly(
    sources: Sequence[Callable[[], None]], stop: asyncio.Event, *, every: float = 2
) -> None:
    """Call *sources* every few seconds, and once more when told to stop."""
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await stop.wait()
        for source in sources:
            source()


def exposition() -> bytes:
    """Return all figures as Prometheus reads them."""
    shown = _own
    if (folder := os.environ.get(_SHARED)) is not None:
        shown = CollectorRegistry()
        MultiProcessCollector(shown, path=folder)
    return generate_latest(shown) + generate_latest(_process)


def sharing(folder: Path) -> Mapping[str, str]:
    """Return what to add to the environment of processes that show their figures together.

    For the one that starts them: *folder* is made, and what an earlier run left there removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
    return {_SHARED: str(folder)}


def forget(folder: Path, pid: int) -> None:
    """Forget the gauges of a process that has died; its counters go on counting."""
    for file in folder.glob(f"gauge_live*_{pid}.db"):
        file.unlink(missing_ok=True)
