"""Whether anybody reads what is older than what they wrote, through another gateway than they did.

`python -m benchmarks.freshness` has 20 clients write through one of two gateways and read through
the other, 10,000 pairs a case: `--pairs` says how many. It prints a line a case, and ends with 1 if
an answer was stale where none may be, or too stale.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import uvloop

from benchmarks.chaos import ready, settings
from benchmarks.http import Line, Response
from treering import ulid
from treering.app import load
from treering.embedded import Servers
from treering.settings import Settings
from treering.store import migrations
from treering.store.backfill import upgrade_rules
from treering.testing import redis
from treering.testing.fleet import Fleet, Member

CLIENTS = 20
PATIENCE = 20.0
BAR = 50.0
"""Milliseconds that 99 of 100 answers may be stale, where they may be."""
_PLACE = "/api/v1/stations"
_TOKEN = "treering-position"  # noqa: S105 - the name of a header
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Where answers are kept, and whether clients hand their positions back."""

    name: str
    cache: str
    tells: bool
    may_be_stale: bool = False


@dataclass(slots=True)
class Found:
    """What came of a case."""

    pairs: int = 0
    late: list[float] = field(default_factory=list[float])
    """Milliseconds after which an answer that was stale at first was fresh."""
    behind: int = 0
    """Answers that said themselves that they may be old."""

    def percentile(self, share: float) -> float:
        """Return the milliseconds of staleness that *share* of all pairs do not exceed."""
        every = sorted(self.late)
        fresh = self.pairs - len(every)
        place = min(self.pairs - 1, int(share * self.pairs))
        return 0.0 if place < fresh else every[place - fresh]


class Client:
    """Writes stations of its own, and knows what each of its questions must be answered."""

    def __init__(self, number: int, case: Case, gateways: Sequence[Member]) -> None:
        self._name = f"client{number}{ulid.new()[-6:].lower()}"
        self._case = case
        self._random = Random(f"{case.name}/{number}")
        self._lines = [Line(each.port) for each in gateways]
        self._own = ""
        self._height = 0
        self._token = ""
        self.found = Found()

    async def live(self, pairs: int) -> None:
        """Write and read so many times."""
        kinds: Sequence[Callable[[Line, Line], Awaitable[None]]] = (
            self._get,
            self._list,
            self._search,
            self._change,
        )
        for number in range(pairs):
            writes, reads = self._random.sample(self._lines, 2)
            await kinds[number % len(kinds)](writes, reads)
            self.found.pairs += 1
        for line in self._lines:
            line.close()

    async def _get(self, writes: Line, reads: Line) -> None:
        named = await self._create(writes)
        await self._read(reads, f"{_PLACE}/{named}", lambda found: found.get("id") == named)

    async def _list(self, writes: Line, reads: Line) -> None:
        await self._listed(writes, reads, f"height={len(self._name)}&name[like]={self._name}%25")

    async def _search(self, writes: Line, reads: Line) -> None:
        await self._listed(writes, reads, f"search={self._name}")

    async def _listed(self, writes: Line, reads: Line, question: str) -> None:
        """Ask the same list each time; what was created last is its first row."""
        path = f"{_PLACE}?{question}&sort=-created_at&page=1&size=3&count=none"
        named = await self._create(writes)
        await self._read(reads, path, lambda found: _first(found) == named)

    async def _change(self, writes: Line, reads: Line) -> None:
        """Change the same station each time, which was read before."""
        own = self._own or await self._create(writes)
        self._own, self._height = own, self._height + 1
        await self._write(writes, "PUT", f"{_PLACE}/{own}", {"height": self._height})
        height = self._height
        await self._read(reads, f"{_PLACE}/{own}", lambda found: found.get("height") == height)

    async def _create(self, line: Line) -> str:
        said = {"name": f"{self._name} {ulid.new()}", "height": len(self._name)}
        response = await self._write(line, "POST", _PLACE, said)
        return msgspec.json.decode(response.body)["id"]

    async def _write(self, line: Line, method: str, path: str, said: Any) -> Response:
        headers = {"content-type": "application/json"}
        response = await line.request(
            method, path, body=_encode(said), headers=headers, timeout=PATIENCE
        )
        if response.status not in (200, 201):
            raise RuntimeError(f"{method} {path} was answered {response.status}: {response.body!r}")
        self._token = response.headers[_TOKEN]
        return response

    async def _read(self, line: Line, path: str, is_fresh: Callable[[Any], bool]) -> None:
        """Read twice what was written; the second answer is a kept one where nothing happened."""
        await self._read_once(line, path, is_fresh)
        await self._read_once(line, path, is_fresh)

    async def _read_once(self, line: Line, path: str, is_fresh: Callable[[Any], bool]) -> None:
        """Read until what was written is there; take note if it was not at once."""
        headers = {_TOKEN: self._token} if self._case.tells else {}
        began = time.perf_counter()
        for attempt in range(10_000):
            response = await line.request("GET", path, headers=headers, timeout=PATIENCE)
            self.found.behind += "treering-read-model" in response.headers
            if is_fresh(msgspec.json.decode(response.body)):
                if attempt:
                    self.found.late.append(1000 * (time.perf_counter() - began))
                return
        raise RuntimeError(f"{path} never shows what was written.")


def _first(found: Any) -> str | None:
    items = found.get("items")
    return items[0]["id"] if items else None


async def run(case: Case, fleet: Fleet, pairs: int) -> bool:
    """Run one case with two gateways of its own; print its line, say whether it is as it must."""
    environment = {"TREERING_CACHE": case.cache}
    gateways = [fleet.add("gateway", environment) for _ in range(2)]
    await ready(fleet)
    clients = [Client(number, case, gateways) for number in range(CLIENTS)]
    began = time.perf_counter()
    await asyncio.gather(*(each.live(-(-pairs // CLIENTS)) for each in clients))
    seconds = time.perf_counter() - began
    hits = [await _hits(each) for each in gateways]
    for each in gateways:
        await fleet.retire(each)
    total = Found(pairs=sum(each.found.pairs for each in clients))
    for each in clients:
        total.late += each.found.late
        total.behind += each.found.behind
    ok = total.percentile(0.99) <= BAR if case.may_be_stale else not (total.late or total.behind)
    ok = ok and (case.cache == "off" or all(hits))
    print(
        f"{case.name} {total.pairs} pairs {len(total.late)} stale, p50 {total.percentile(0.5):.1f} "
        f"p99 {total.percentile(0.99):.1f} most {max(total.late, default=0):.1f} ms, "
        f"{sum(hits):g} hits, {total.pairs / seconds:.0f} pairs/s {'ok' if ok else 'short'}",
        flush=True,
    )
    return ok


async def _hits(gateway: Member) -> float:
    """Return how often a gateway has answered from its cache."""
    shown = (await Line(gateway.port).request("GET", "/metrics", timeout=PATIENCE)).body.decode()
    return sum(
        float(line.rpartition(" ")[2])
        for line in shown.splitlines()
        if line.startswith("treering_cache_reads_total") and 'outcome="hit"' in line
    )


async def measure(servers: Servers, home: Path, pairs: int, shared: str | None) -> bool:
    """Run all cases on servers of this run."""
    addresses = servers.addresses
    environment = {
        **settings(addresses, home), "TREERING_VISIBLE_SECONDS": "10",
        "TREERING_WAIT_SECONDS": "15",
    }  # fmt: skip
    app = load(Settings.read(environment))
    await migrations.upgrade(
        addresses.database, app.namespace, writer="chaos_writer", reader="chaos_reader"
    )
    await upgrade_rules(addresses.database, app.namespace, app.registry)
    cases = [
        Case(name="with-a-position-and-memory", cache="memory", tells=True),
        Case(name="without-a-position-nor-a-cache", cache="off", tells=False),
        Case(name="without-a-position", cache="memory", tells=False, may_be_stale=True),
    ]
    if shared is None:
        print(redis.MISSING, file=sys.stderr)
    else:
        cases.insert(1, Case(name="with-a-position-and-redis", cache=shared, tells=True))
    async with Fleet(home, {"handler": 1, "projector": 1}, environment) as fleet:
        return all([await run(case, fleet, pairs) for case in cases])


def main() -> int:
    """Run it; return 1 if something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    said = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="treering-")))
        shared = stack.enter_context(redis.running(home)) if redis.is_there() else None
        servers = stack.enter_context(Servers(home / "servers"))
        ok = uvloop.run(measure(servers, home, said.pairs, shared))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
