"""HTTP beside chapkit, and beside FastAPI with SQLAlchemy written the usual way.

`python -m benchmarks.gateway` prints one line a figure, `name value peer ratio bar ok|short`, and
ends with 1 if one is short. `--quick` measures less, to see that it works; `--apart` runs each role
of ours in a process of its own; names of figures that are to be measured can be said.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import uvloop

from benchmarks.peer import Peer, environment
from benchmarks.rounds import ROUNDS, Figure, Result, compare
from benchmarks.volley import Volley, request
from treering.dev import announcement
from treering.embedded import Addresses, Servers
from treering.embedded.ports import free
from treering.store import migrations

CHAPKIT = ("chapkit==2.4.1",)
USUAL = ("fastapi[standard]", "sqlalchemy[asyncio]", "asyncpg", "uvicorn[standard]")
ENTITIES = 1000
CONNECTIONS = 64
MANY, FEW = 1000, 200
"""Items of a bulk, and how many single requests are measured to know what as many take."""
PATIENCE = 180
BODY = json.dumps({"name": "a config", "data": {"n_lags": 4}}).encode()
type Measured = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server with configs, and where they are."""

    name: str
    port: int
    path: str
    id: str = ""

    def get(self, query: str = "", status: int = 200) -> Volley:
        """Return requests for what *query* says after the path."""
        said = request("GET", self.path + query)
        return Volley(self.port, lambda: said, status)

    def one(self) -> Volley:
        """Return requests for one config."""
        return self.get(f"/{self.id}")

    def post(self) -> Volley:
        """Return requests that create configs."""
        said = request("POST", self.path, body=BODY)
        return Volley(self.port, lambda: said, 201)


@contextmanager
def dev(home: Path) -> Generator[tuple[int, str]]:
    """Run ours as `treering dev` does; yield its port and the database of its owner."""
    port = free()
    with served_by(
        sys.executable, "-m", "treering", "dev", TREERING_HOME=str(home), PORT=str(port)
    ):
        wait_for(port, "/health/ready")
        while (told := announcement.read(home)) is None or told.waiting_for:
            time.sleep(0.1)
        yield port, told.database_owner


@contextmanager
def keeps(home: Path) -> Generator[int]:
    """Run one more gateway, which keeps answers, beside the `treering dev` of *home*."""
    port = free()
    told = announcement.read(home)
    if told is None:
        raise RuntimeError("treering dev has gone.")
    said = {
        "TREERING_DATABASE": told.database,
        "TREERING_DATABASE_READER": told.database_reader,
        "TREERING_KAFKA": told.kafka,
        "TREERING_NAMESPACE": told.namespace,
        "TREERING_HOME": str(home / "keeping"),
        "TREERING_CACHE": "memory",
        "TREERING_LOG_LEVEL": "warning",
        "PORT": str(port),
    }
    with served_by(sys.executable, "-m", "treering", "run", "gateway", **said):
        wait_for(port, "/api/v1/configs?page=1&size=1")
        yield port


@contextmanager
def apart(home: Path) -> Generator[tuple[int, str]]:
    """Run ours with a process a role; yield its port and the database."""
    port = free()
    with Servers(home) as servers, ExitStack() as stack:
        addresses = servers.addresses
        asyncio.run(migrations.upgrade(addresses.database, "bench"))
        said = {**places(addresses, home), "PORT": str(port)}
        for role in ("handler", "relay", "projector", "gateway"):
            words = (sys.executable, "-m", "treering", "run", role)
            stack.enter_context(served_by(*words, **said))
        wait_for(port, "/health/ready")
        yield port, addresses.database


def places(addresses: Addresses, home: Path) -> Mapping[str, str]:
    """Return the settings of a process of ours beside these servers."""
    return {
        "TREERING_DATABASE": addresses.database,
        "TREERING_KAFKA": addresses.kafka,
        "TREERING_NAMESPACE": "bench",
        "TREERING_HOME": str(home / "state"),
        "TREERING_PARTITIONS": "4",
        "TREERING_LOG_LEVEL": "warning",
    }


@contextmanager
def served(python: str, app: str, path: str, **said: str) -> Generator[int]:
    """Serve a peer by uvicorn in one process; yield its port."""
    port = free()
    folder = Path(__file__).with_name("peers")
    words = ("uvicorn", app, "--app-dir", str(folder), "--port", str(port))
    quiet = ("--log-level", "warning", "--no-access-log")
    with served_by(python, "-m", *words, *quiet, **said):
        wait_for(port, path)
        yield port


@contextmanager
def served_by(*words: str, **said: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a process in the block; what it has printed is shown if the block fails."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith("TREERING_")}
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            words, env={**inherited, **said}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield child
        except BaseException:
            output.seek(0)
            sys.stderr.write(output.read().decode(errors="replace")[-4000:])
            raise
        finally:
            child.terminate()
            child.wait(60)


def wait_for(port: int, path: str) -> None:
    """Wait until the server answers; raises RuntimeError for what it will not get over."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError, HTTPException):
            status, answer = _ask(HTTPConnection("127.0.0.1", port, timeout=5), "GET", path)
            if status < HTTPStatus.BAD_REQUEST:
                return
            if status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise RuntimeError(f"{path} answers {status}: {answer[:500]!r}")
        time.sleep(0.1)
    raise RuntimeError(f"Nobody answers {path} on port {port}.")


def _ask(line: HTTPConnection, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    line.request(method, path, body or None, {"content-type": "application/json"} if body else {})
    answer = line.getresponse()
    return answer.status, answer.read()


def filled(name: str, port: int, path: str) -> Site:
    """Return a site with so many entities."""
    line = HTTPConnection("127.0.0.1", port, timeout=30)
    made = [json.loads(_ask(line, "POST", path, BODY)[1])["id"] for _ in range(ENTITIES)]
    line.close()
    return Site(name=name, port=port, path=path, id=made[ENTITIES // 2])


class Bench:
    """Measures figures by turns, those that are wanted."""

    def __init__(self, *, quick: bool, only: list[str], suffix: str = "") -> None:
        self._rounds, self._share = (3, 0.2) if quick else (ROUNDS, 1.0)
        self._only = only
        self._suffix = suffix
        self.results: list[Result] = []

    async def alone(self, name: str, bar: float, ours: Volley, peer: Volley, count: int) -> None:
        """Compare the medians of one connection."""
        many = max(20, round(count * self._share))
        figure = Figure(name=f"{name}-ms", bar=bar, at_most=True)
        await self._compare(figure, lambda: ours.alone(many), lambda: peer.alone(many))

    async def together(self, name: str, bar: float, ours: Volley, peer: Volley) -> None:
        """Compare the rates of many connections."""
        seconds = 3 * self._share
        figure = Figure(name=f"{name}-by-{CONNECTIONS}-clients/s", bar=bar)
        await self._compare(
            figure,
            lambda: ours.together(CONNECTIONS, seconds),
            lambda: peer.together(CONNECTIONS, seconds),
        )

    async def one(self, name: str, bar: float, ours: Measured, peer: Measured) -> None:
        """Compare two that take some milliseconds."""
        await self._compare(Figure(name=f"{name}-ms", bar=bar, at_most=True), ours, peer)

    async def _compare(self, figure: Figure, ours: Measured, peer: Measured) -> None:
        if self._only and not any(each in figure.name for each in self._only):
            return
        named = Figure(name=figure.name + self._suffix, bar=figure.bar, at_most=figure.at_most)
        self.results.append(await compare(named, ours, peer, self._rounds))


async def reads(bench: Bench, ours: Site, chapkit: Site, usual: Site) -> None:
    """Compare what is read."""
    await bench.alone("get-beside-chapkit", 1 / 5, ours.one(), chapkit.one(), 500)
    page = "?page=2&size=20"
    await bench.alone("page-beside-chapkit", 1 / 7, ours.get(page), chapkit.get(page), 200)
    await bench.alone("list-beside-chapkit", 1 / 10, ours.get(), chapkit.get(), 30)
    await bench.together("get-beside-chapkit", 10, ours.one(), chapkit.one())
    await bench.together("get-beside-usual", 5, ours.one(), usual.one())
    page = "?page=2&size=100"
    await bench.together("pages-of-100-beside-usual", 6, ours.get(page), usual.get(page))


async def kept(bench: Bench, ours: Site, cached: Site) -> None:
    """Compare what a gateway has kept with what it reads; both are asked for the same."""
    again = request("GET", f"{cached.path}/{cached.id}", headers={"if-none-match": "*"})
    unchanged = Volley(cached.port, lambda: again, 304)
    for name, kept in (("kept", cached.one()), ("unchanged", unchanged)):
        await bench.alone(f"{name}-beside-read", 1 / 1.3, kept, ours.one(), 500)
        await bench.together(f"{name}-beside-read", 1.3, kept, ours.one())


async def bulk(bench: Bench, ours: Site, database: str) -> None:
    """Compare many in one request with as many requests, and with bare inserts."""
    items = json.dumps([{"name": f"config {each}", "data": {"n_lags": 4}} for each in range(MANY)])
    said = request("POST", f"{ours.path}/$bulk", body=items.encode())
    many = Volley(ours.port, lambda: said, 201)
    await bench.one(f"bulk-of-{MANY}-beside-single", 1 / 10, lambda: many.alone(3), singles(ours))
    inserting = await Peer.start(sys.executable, "inserting.py", database, items)

    async def allowed() -> float:
        return 2 * await inserting.ask(MANY) + 50

    await bench.one(f"bulk-of-{MANY}-beside-inserts", 1, lambda: many.alone(3), allowed)
    await inserting.stop()


def singles(ours: Site) -> Measured:
    """Return what measures as many requests, in milliseconds."""

    async def measure() -> float:
        return MANY / FEW * (await ours.post().summed(FEW))

    return measure


async def writes(bench: Bench, ours: Site, chapkit: Site, usual: Site) -> None:
    """Compare what is written; chapkit fails when two write at once."""
    await bench.alone("post-beside-chapkit", 1.2, ours.post(), chapkit.post(), 300)
    await bench.alone("post-beside-usual", 2.2, ours.post(), usual.post(), 300)
    await bench.together("post-beside-usual", 2.5, ours.post(), usual.post())


def main() -> int:
    """Print the figures; return 1 if one is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("only", nargs="*")
    said = parser.parse_args()
    bench = Bench(quick=said.quick, only=said.only, suffix="-apart" if said.apart else "")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        run = apart if said.apart else dev
        port, database = stack.enter_context(run(Path(folder)))
        python = environment("chapkit", CHAPKIT)
        theirs = stack.enter_context(served(python, "forecaster:app", "/api/v1/configs"))
        python = environment("usual", USUAL)
        usual = stack.enter_context(served(python, "usual:app", "/docs", BENCH_DATABASE=database))
        sites = (
            filled("ours", port, "/api/v1/configs"),
            filled("chapkit", theirs, "/api/v1/configs"),
            filled("usual", usual, "/configs"),
        )
        uvloop.run(reads(bench, *sites))
        if not said.apart:
            keeping = stack.enter_context(keeps(Path(folder)))
            cached = replace(sites[0], name="cached", port=keeping)
            uvloop.run(kept(bench, sites[0], cached))
        uvloop.run(writes(bench, *sites))
        uvloop.run(bulk(bench, sites[0], database))
    return 0 if all(result.ok for result in bench.results) else 1


if __name__ == "__main__":
    sys.exit(main())
