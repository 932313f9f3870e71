"""A file of a million rows beside PostgreSQL's own, and what the gateway's memory makes of it.

`python -m benchmarks.exporting` prints `name value peer ratio bar ok|short` and `name value bar
ok|short`, and ends with 1 if one is short. `--rows` makes fewer, to see that it works.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import psutil
import uvloop

from benchmarks.gateway import places, served_by, wait_for
from benchmarks.peer import Peer
from benchmarks.rounds import Figure, compare
from benchmarks.volley import request
from treering.embedded import Servers
from treering.embedded.ports import free
from treering.store import migrations

MEGABYTES = 50
ROUNDS = 3
_PIECE = 1 << 20
_EVENTS = """
insert into events (position, recorded_at, time, id, version, stream, type, body, tenant, actor,
                    correlation, causation)
select n, to_timestamp(1.7e9 + n / 1e3), to_timestamp(1.7e9 + n / 1e3), gen_random_uuid(), 1,
       'config/' || upper('01' || lpad(to_hex(n), 10, '0') || substr(md5(n::text), 1, 14)),
       'config.created.v1',
       format('{"name":"config %s","data":{"n_lags":%s,"note":"a, \\"b\\""}}', n, n % 9),
       'default', 'benchmark', 'filled', md5(n::text)
  from generate_series(1, $1::bigint) as n
"""
_HEAD = "update head set position = $1, recorded_at = now()"


async def fill(url: str, rows: int) -> None:
    """Store so many configs."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "bench"})
    await connection.execute("set synchronous_commit = off")
    await connection.execute(_EVENTS, rows)
    await connection.execute(_HEAD, rows)
    await connection.close()


class Export:
    """A file of all configs, taken as fast as it comes."""

    def __init__(self, port: int, rows: int, gateway: psutil.Process) -> None:
        self._port = port
        self._rows = rows
        self._gateway = gateway
        self.grown = 0.0
        """Megabytes that the gateway took more, at most."""

    async def rate(self) -> float:
        """Return rows of the file a second."""
        before = self._memory()
        size, began = 0, time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=8 * _PIECE)
        writer.write(request("GET", "/api/v1/configs/$export", headers={"connection": "close"}))
        looked = began
        while piece := await reader.read(_PIECE):
            size += len(piece)
            if time.perf_counter() - looked > 0.05:
                looked = time.perf_counter()
                self.grown = max(self.grown, self._memory() - before)
        writer.close()
        if size < 100 * self._rows:
            raise RuntimeError(f"The file has only {size} bytes.")
        return self._rows / (time.perf_counter() - began)

    def _memory(self) -> float:
        return self._gateway.memory_info().rss / 1e6


async def measure(database: str, port: int, gateway: psutil.Process, rows: int) -> bool:
    """Measure by turns."""
    copying = await Peer.start(sys.executable, "pouring.py", database, "bench_read.configs")
    export = Export(port, rows, gateway)
    await export.rate()

    async def copied() -> float:
        return await copying.ask(rows)

    figure = Figure(name="export-rows/s", bar=0.4)
    speed = await compare(figure, export.rate, copied, ROUNDS)
    await copying.stop()
    is_small = export.grown < MEGABYTES
    told = "ok" if is_small else "short"
    print(f"export-memory-MB {export.grown:.0f} {MEGABYTES} {told}", flush=True)
    return speed.ok and is_small


def main() -> int:
    """Print the figures; return 1 if one is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
        home, port, database = Path(folder), free(), servers.addresses.database
        asyncio.run(migrations.upgrade(database, "bench"))
        asyncio.run(fill(database, rows))
        said = {**places(servers.addresses, home), "PORT": str(port)}
        with ExitStack() as stack:
            words = (sys.executable, "-m", "treering", "run")
            stack.enter_context(served_by(*words, "handler", "projector", **said))
            gateway = stack.enter_context(served_by(*words, "gateway", **said))
            wait_for(port, f"/api/v1/configs/$stats?min_position={rows}")
            is_good = uvloop.run(measure(database, port, psutil.Process(gateway.pid), rows))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
