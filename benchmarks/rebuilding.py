"""A large read model built anew under load: nobody waits, nobody fails, nothing wrong is read.

`python -m benchmarks.rebuilding [--rows 1000000] [--rate 40] [--seconds 15] [--kills 10]` prints a
line a figure with its bar, and ends with 1 if one is short. `--quick` measures less, to see that it
works.
"""

import argparse
import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import uvloop

from benchmarks.chaos import ready
from benchmarks.readers import Readers, Window
from benchmarks.rounds import percentile
from treering.embedded import Servers
from treering.store import migrations
from treering.store.connecting import url_for
from treering.testing.fleet import Fleet

WHOLE = {"rows": 1_000_000, "seconds": 15, "rounds": 3, "kills": 10}
QUICK = {"rows": 20_000, "seconds": 2, "rounds": 1, "kills": 1}
_TRIES = 3
"""Times as many as are to be killed: some are done before."""
_ROLES = {"gateway": 1, "handler": 1, "relay": 1, "projector": 1}
_SERVICE = Path(__file__).parent / "ledger"
_FOLD = "    return fold(recorded)\n"
_SAME = "    return [*fold(recorded)][:{number} + 1]\n"
"""Code that was changed and does the same."""
_WRONG = "    return () if recorded.position == {position} else fold(recorded)\n"
"""A fault: one event is not seen."""
_PATIENCE = 600.0

_EVENTS = """
insert into events (position, recorded_at, time, id, version, stream, type, body, tenant, actor,
                    correlation, causation)
select p, to_timestamp(1.7e9 + p / 1e3), to_timestamp(1.7e9 + p / 1e3), gen_random_uuid(), 1,
       'entry/' || lpad(p::text, 26, '0'), 'entry.created.v1',
       json_build_object('tags', array[]::text[], 'name', 'entry ' || p, 'amount', p),
       'default', 'benchmark', 'filled', md5(p::text)
  from generate_series(1, $1) as p
"""
_STREAMS = """
insert into stream (stream, kind, version)
select 'entry/' || lpad(p::text, 26, '0'), 'entry', 1 from generate_series(1, $1) as p
"""
_LEFT = "select count(*) - 1 from ledger_read.projection where name = 'entries'"
_ROWS = "select count(*) from ledger_read.entries"
_SHOWN = """
select refobjid
  from pg_rewrite join pg_depend on objid = pg_rewrite.oid
 where ev_class = 'ledger_read.entries'::regclass and refclassid = 'pg_class'::regclass
   and refobjid <> ev_class
 limit 1
"""
_WRONG_ROWS = """
select count(*)
  from (select split_part(stream, '/', 2) as id, body::json as fields
          from ledger.events where type = 'entry.created.v1') as event
  full join ledger_read.entries as entry using (id)
 where entry.name is distinct from fields ->> 'name'
    or entry.amount is distinct from (fields ->> 'amount')::bigint
"""


class Bench:
    """One run: a filled store, a fleet, readers; and what came of it."""

    def __init__(self, servers: Servers, home: Path, said: argparse.Namespace) -> None:
        self.asked = said
        self.home = home
        self.database = servers.addresses.database
        self.environment: Mapping[str, str] = {
            "TREERING_HOME": str(home),
            "TREERING_DATABASE": url_for(self.database, "ledger_writer"),
            "TREERING_DATABASE_READER": url_for(self.database, "ledger_reader"),
            "TREERING_KAFKA": servers.addresses.kafka,
            "TREERING_SECRET": "ledger",
            "TREERING_PARTITIONS": "2",
            "TREERING_REPLICATION": "1",
            "TREERING_SESSION_SECONDS": "1.5",
            "TREERING_LOG_LEVEL": "warning",
        }
        self.is_short = False
        self.taken: list[float] = []
        """Seconds of each rebuild."""

    def tell(self, name: str, value: float, bar: str, *, ok: bool) -> None:
        """Print a figure's line."""
        self.is_short |= not ok
        print(f"{name} {value:.3g} {bar} {'ok' if ok else 'short'}", flush=True)

    def settings(self, app: Path) -> Mapping[str, str]:
        """Return what processes of the release in *app* are told."""
        return {**self.environment, "TREERING_APP": str(app)}

    def release(self, name: str, fold: str) -> Path:
        """Return a copy of the service with another fold."""
        app = self.home / name
        shutil.copytree(_SERVICE, app, ignore=shutil.ignore_patterns("__pycache__"))
        file = app / "projections" / "entries.py"
        text = file.read_text()
        if _FOLD not in text:
            raise ValueError(f"The fold of {file} is not where it is changed.")
        file.write_text(text.replace(_FOLD, fold))
        return app

    async def fill(self) -> None:
        """Make the store and its events."""
        await migrations.upgrade(
            self.database, "ledger", writer="ledger_writer", reader="ledger_reader"
        )
        connection = await asyncpg.connect(
            self.database, server_settings={"search_path": "ledger", "synchronous_commit": "off"}
        )
        await connection.execute(_EVENTS, self.asked.rows)
        await connection.execute(_STREAMS, self.asked.rows)
        await connection.execute(
            "update head set position = (select max(position) from events), recorded_at = now()"
        )
        await connection.execute("vacuum analyze")
        await connection.close()

    def treering(self, app: Path, *words: str) -> subprocess.Popen[bytes]:
        """Start a command of the release in *app*."""
        return subprocess.Popen(
            [sys.executable, "-m", "treering", *words],
            env={**os.environ, **self.settings(app)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    async def ended(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Return the exit status and what was said."""
        said, _ = await asyncio.to_thread(process.communicate)
        return process.returncode, said.decode()

    async def measure(self, readers: Readers) -> None:
        """Measure without and with a rebuild, by turns."""
        quiet: list[Window] = []
        busy: list[Window] = []
        for number in range(self.asked.rounds):
            quiet.append(readers.turn())
            await asyncio.sleep(self.asked.seconds)
            busy.append(readers.turn())
            began = time.perf_counter()
            status, said = await self.ended(
                self.treering(_SERVICE, "projections", "rebuild", "entries")
            )
            self.taken.append(time.perf_counter() - began)
            if status:
                raise RuntimeError(f"A rebuild ended with {status}: {said}")
            self._note(number, quiet[-1], busy[-1])
        readers.turn()
        without = percentile([each for one in quiet for each in one.milliseconds], 0.99)
        beside = percentile([each for one in busy for each in one.milliseconds], 0.99)
        print(f"rebuild-seconds {max(self.taken):.3g} of {self.asked.rows} rows", flush=True)
        print(f"p99-ms-without {without:.3g} p99-ms-with {beside:.3g}", flush=True)
        self.tell(
            "p99-with-a-rebuild-beside-without", beside / without, "<=2", ok=beside <= 2 * without
        )

    def _note(self, number: int, quiet: Window, busy: Window) -> None:
        p99 = [percentile(each.milliseconds, 0.99) for each in (quiet, busy)]
        most = [max(each.milliseconds) for each in (quiet, busy)]
        print(
            f"round {number + 1}: p99 {p99[0]:.3g} then {p99[1]:.3g} ms, "
            f"most {most[0]:.3g} then {most[1]:.3g}, {self.taken[-1]:.3g} s",
            file=sys.stderr,
            flush=True,
        )

    async def kill_rebuilds(self, random: Random) -> None:
        """Kill rebuilds somewhere on their way; then let one come to its end."""
        kills = missing = 0
        for _ in range(_TRIES * self.asked.kills):
            process = self.treering(_SERVICE, "projections", "rebuild", "entries")
            await asyncio.sleep(random.uniform(0.1, 0.9) * min(self.taken))
            kills += process.poll() is None
            process.kill()
            await self.ended(process)
            missing += await self.number(_ROWS) < self.asked.rows
            if kills == self.asked.kills:
                break
        self.tell("killed-rebuilds", kills, str(self.asked.kills), ok=kills == self.asked.kills)
        self.tell("killed-rebuilds-that-show-too-little", missing, "0", ok=not missing)
        status, said = await self.ended(
            self.treering(_SERVICE, "projections", "rebuild", "entries")
        )
        print(said.strip(), file=sys.stderr)
        left = await self.number(_LEFT)
        self.tell("exit-of-the-rebuild-after-them", status, "0", ok=status == 0)
        self.tell("builds-left-by-them", left, "0", ok=left == 0)

    async def kill_builders(self, random: Random) -> None:
        """Kill projectors of changed releases while they build; they go on in the end."""
        kills = taken_up = releases = 0
        before = await self.shown()
        while kills < self.asked.kills and releases < _TRIES * self.asked.kills:
            releases += 1
            app = self.release(f"changed-{releases}", _SAME.format(number=releases))
            async with Fleet(self.home, {"projector": 1}, self.settings(app)) as fleet:
                kills += await self._kill(fleet, before, random, self.asked.kills - kills)
                await self.becomes(app, "live")
                taken_up += await self.shown() != before
            async with asyncio.timeout(_PATIENCE):
                while await self.shown() != before:
                    await asyncio.sleep(0.2)
        self.tell("killed-builders", kills, str(self.asked.kills), ok=kills == self.asked.kills)
        self.tell("releases-taken-up", taken_up, str(releases), ok=taken_up == releases)

    async def _kill(self, fleet: Fleet, before: int, random: Random, most: int) -> int:
        """Kill the projector now and then until its build is taken up; return how often."""
        (member,) = fleet.members
        while member.kills < most:
            least = 0.2 * min(self.taken)
            await asyncio.sleep(random.uniform(least, least + 0.7 + min(self.taken) / 10))
            if await self.shown() != before:
                break
            member.kill()
        return member.kills

    async def plant(self) -> None:
        """Have a release build that has a fault in its fold; what there was must stay."""
        app = self.release("wrong", _WRONG.format(position=self.asked.rows // 2))
        before = await self.shown()
        async with Fleet(self.home, {"projector": 1}, self.settings(app)):
            state = await self.becomes(app, "held")
            stays = await self.shown() == before
        print(state["reason"], file=sys.stderr)
        is_found = str(state["reason"]).startswith("1 row of entries, such as ")
        self.tell("planted-fault-found", is_found, "1", ok=is_found)
        self.tell("old-one-stays", stays, "1", ok=stays)

    async def status(self, app: Path) -> dict[str, object]:
        """Return what the release in *app* says of its read model."""
        found = await self.said(app, "projections", "status")
        return next(each for each in found if each["name"] == "entries")

    async def said(self, app: Path, *words: str) -> Any:
        """Return what a command of the release in *app* prints."""
        _, text = await self.ended(self.treering(app, *words, "--json"))
        return json.loads(text)

    async def becomes(self, app: Path, state: str) -> dict[str, object]:
        """Wait until it is in *state*."""
        async with asyncio.timeout(_PATIENCE):
            while (found := await self.status(app))["state"] != state:
                await asyncio.sleep(0.5)
        return found

    async def shown(self) -> int:
        """Return which table the view shows."""
        return await self.number(_SHOWN)

    async def number(self, sql: str) -> int:
        """Return the number that *sql* asks for."""
        connection = await asyncpg.connect(self.database)
        try:
            return int(await connection.fetchval(sql))
        finally:
            await connection.close()

    async def run(self) -> bool:
        """Run it all; say whether every bar was met."""
        await self.fill()
        random = Random(self.asked.seed)
        async with AsyncExitStack() as stack:
            fleet = Fleet(self.home, _ROLES, self.settings(_SERVICE))
            await stack.enter_async_context(fleet)
            await self._ready(fleet)
            stop = asyncio.Event()
            readers = Readers([each.port for each in fleet.of("gateway")], rate=self.asked.rate)
            reading = asyncio.create_task(readers.run(stop))
            await asyncio.sleep(3)
            try:
                await self.measure(readers)
                await self.kill_rebuilds(random)
                await self.kill_builders(random)
                await self.plant()
            finally:
                stop.set()
                await reading
            await self._settled(fleet)
            wrong = await self.number(_WRONG_ROWS)
        self._reckon(readers.windows, wrong)
        return not self.is_short

    async def _ready(self, fleet: Fleet) -> None:
        """Wait until all rows are there, and all events are on Kafka."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    await ready(fleet)
                    break
                except TimeoutError:
                    continue
            while (await self.said(_SERVICE, "relay", "status"))["lag"]:
                await asyncio.sleep(1)

    async def _settled(self, _fleet: Fleet) -> None:
        """Wait until the read model has caught up."""
        head = await self.number("select position from ledger.head")
        async with asyncio.timeout(_PATIENCE):
            while (await self.status(_SERVICE))["position"] != head:
                await asyncio.sleep(0.2)

    def _reckon(self, windows: Sequence[Window], wrong: int) -> None:
        failures = [failure for each in windows for failure in each.failures]
        answers = sum(len(each.milliseconds) for each in windows)
        behind = sum(each.behind for each in windows)
        print(f"answers {answers} behind {behind}", flush=True)
        for failure in failures[:10]:
            print(failure, file=sys.stderr)
        self.tell("failed-requests", len(failures), "0", ok=not failures)
        self.tell("rows-that-are-not-the-fold", wrong, "0", ok=not wrong)


def main() -> int:
    """Run once; return 1 if a bar was not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rate", type=float, default=40, help="writes a second, each read back")
    parser.add_argument("--seconds", type=float, help="of a window without a rebuild")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--kills", type=int, help="of rebuilds, and of builders")
    parser.add_argument("--quick", action="store_true", help="see that it runs; figures say little")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    said = parser.parse_args()
    for name, value in (QUICK if said.quick else WHOLE).items():
        if getattr(said, name) is None:
            setattr(said, name, value)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(f"seed {said.seed} rows {said.rows} writes/s {said.rate:g}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Servers(home) as servers:
            ok = uvloop.run(Bench(servers, home, said).run())
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
