"""Whether this process answers, and what around it does not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from treering.errors import StoreError
from treering.gateway.broker import Broker
from treering.gateway.http.routes import Routes
from treering.gateway.positions import Epoch
from treering.message import Position
from treering.projection import Status
from treering.reading import ReadModels
from treering.rulebook import Words
from treering.store import Reader
from treering.store.rules import difference, stored_rules

_PATIENCE = 2.0
_CATCHING_UP = 1.0
"""Seconds that a read model is waited for before it counts as behind."""
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("treering.gateway")

type Check = Callable[[], Awaitable[str | None]]
"""Returns what is wrong, None if nothing is."""


class Health:
    """`/health`, and `/health/live` and `/health/ready` for those who start and stop processes.

    `unhealthy` (503) is a process that cannot answer: it does not reach its database. All else
    that is wrong is `degraded` (200): reads go on without Kafka, other read models without one.
    """

    def __init__(
        self, reader: Reader, epoch: Epoch, read_models: ReadModels, broker: Broker, rules: Words
    ) -> None:
        self._reader = reader
        self._rules = rules
        self._epoch = epoch
        self._read_models = read_models
        self._broker = broker
        self._has_caught_up = False
        self._coming = ""
        """What was on its way at the last look."""
        self._noted: dict[str, str | None] = {}
        """The read models that waited for an operator at the last look, and why."""

    def add_to(self, routes: Routes) -> None:
        """Add its addresses."""
        routes.add("GET", "/health", self.health)
        routes.add("GET", "/health/live", live)
        routes.add("GET", "/health/ready", self.ready)

    async def health(self, _request: Request) -> Response:
        """Answer with every check."""
        checks = await self.checks()
        away = checks["database"]["state"] != "healthy"
        wrong = any(each["state"] != "healthy" for each in checks.values())
        status = "unhealthy" if away else "degraded" if wrong else "healthy"
        return _answer(503 if away else 200, {"status": status, "checks": checks})

    async def checks(self) -> dict[str, dict[str, str]]:
        """Return the state of every check, and what is to be said of it."""
        found = await _checked({
            "database": self._database,
            "kafka": self._kafka,
            "rules": self._obeyed,
            "read_models": self._waiting,
            "invariant": self._invariant,
        })  # fmt: skip
        checks = {name: _state(fault, away=name == "database") for name, fault in found.items()}
        if self._coming and found["read_models"] is None:
            checks["read_models"]["message"] = self._coming
        return checks

    async def ready(self, _request: Request) -> Response:
        """Answer 200 once all of it was there and caught up, and from then on while reads work."""
        checks: dict[str, Check] = {"database": self._database}
        if not self._has_caught_up:
            checks |= {"kafka": self._kafka, "read_models": self._behind}
        found = {name: fault for name, fault in (await _checked(checks)).items() if fault}
        if found:
            return _answer(503, {"status": "starting", "waiting_for": found})
        self._has_caught_up = True
        return _answer(200, {"status": "ready"})

    async def _database(self) -> str | None:
        await self._epoch.head()
        return None

    async def _kafka(self) -> str | None:
        return None if await self._broker.answers() else "Kafka does not answer."

    async def _obeyed(self) -> str | None:
        """Return why handlers of this release do not run, if it is for their rules."""
        stored = await stored_rules(self._reader.fetch)
        said = difference(self._reader.namespace, self._rules, stored)
        return f"Handlers of this release wait. {said}" if said else None

    async def _waiting(self) -> str | None:
        found = await self._read_models.status()
        self._coming = "; ".join(
            f"{each.name} is being built: {each.going}" for each in found if each.going
        )
        waiting = [each for each in found if each.state in {"stopped", "held"}]
        self._note(waiting)
        said = "; ".join(map(_fault, waiting))
        return f"{said}: `treering projections status` says why." if said else None

    def _note(self, waiting: Sequence[Status]) -> None:
        """Log once why they wait: the reason may quote rows, so that no answer has it."""
        for each in waiting:
            if self._noted.get(each.name) != each.reason:
                said = "has stopped" if each.state == "stopped" else "is held"
                _log.warning(f"a read model {said}", name=each.name, reason=each.reason)
        self._noted = {each.name: each.reason for each in waiting}

    async def _behind(self) -> str | None:
        """Return which read models have yet to show all that there was when this was asked."""
        head = (await self._epoch.head()).position
        found = await self._read_models.status()
        shown = await asyncio.gather(*(self._shows(each, head) for each in found))
        late = [each for each, is_there in zip(found, shown, strict=True) if not is_there]
        return ", ".join(map(_missing, late)) or None

    async def _shows(self, status: Status, head: Position) -> bool:
        """Say whether it can be read and shows *head*; one that stopped, up to where it has."""
        if status.state == "stopped":
            return status.is_taken_up
        return status.state == "live" and await self._read_models.wait(
            status.name, head, _CATCHING_UP
        )

    async def _invariant(self) -> str | None:
        found = await self._reader.invariant()
        return None if found.holds else f"Positions are not gapless: {found.detail}."


def _fault(status: Status) -> str:
    if status.state == "stopped":
        return f"{status.name} stopped at position {status.stopped_at}"
    return f"{status.name} is held, as it shows something else than the version before"


def _missing(status: Status) -> str:
    """Return why it is not ready."""
    if status.state == "stopped":
        return _fault(status)
    if status.state == "held":
        return f"{_fault(status)} (`treering projections accept {status.name}` takes it up)"
    coming = f" ({status.going})" if status.going else ""
    return f"{status.name} lacks {status.lag} events{coming}"


async def live(_request: Request) -> Response:
    """Answer: that is all it takes."""
    return _answer(200, {"status": "live"})


async def _checked(checks: Mapping[str, Check]) -> dict[str, str | None]:
    found = await asyncio.gather(*(_bounded(name, check) for name, check in checks.items()))
    return dict(zip(checks, found, strict=True))


async def _bounded(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await check()
    except TimeoutError:
        return f"No answer within {_PATIENCE:g} s."
    except StoreError as error:
        _log.warning("a check failed", check=name, error=str(error))
        return "PostgreSQL does not answer."


def _state(fault: str | None, *, away: bool) -> dict[str, str]:
    if fault is None:
        return {"state": "healthy"}
    return {"state": "unhealthy" if away else "degraded", "message": fault}


def _answer(status: int, body: Mapping[str, object]) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(_encode(body), status, headers=headers, media_type="application/json")
