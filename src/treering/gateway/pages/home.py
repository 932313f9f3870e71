"""`/`: what runs here, told to a person by a page and to a program by JSON."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from treering.errors import StoreError
from treering.gateway.collection import Table
from treering.gateway.forms.accepting import takes_page
from treering.gateway.http.guard import is_known
from treering.gateway.http.routes import Routes
from treering.gateway.pages.page import link, page, state, table
from treering.gateway.service.about import About
from treering.gateway.service.health import Health
from treering.projection import Status
from treering.query import QueryOptions
from treering.reading import ReadModels
from treering.service import Service

_PATIENCE = 1.0
"""Seconds that a figure is waited for; the page comes without it then."""
_PLANNED = QueryOptions(count="planned")
_MANY = 20_000
"""Rows that are not counted one by one."""
_UNKNOWN = '<span class="none">unknown</span>'
_LED: Mapping[str, str] = {
    "docs": "All addresses",
    "openapi": "OpenAPI",
    "schemas": "Schemas",
    "events": "Events",
    "audit": "Audit",
    "health": "Health",
    "metrics": "Metrics",
}
"""What of the JSON is led to at the top, and in which words."""


_LOCKED = "<p>What is here is shown to whoever has an API key.</p>\n</main>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The page, of the parts that it tells of."""

    service: Service
    collections: Sequence[Table]
    about: About
    health: Health
    read_models: ReadModels

    def add_to(self, routes: Routes) -> None:
        """Add its address."""
        routes.add("GET", "/", self.root)

    async def root(self, request: Request) -> Response:
        """Answer with what runs and where to go from here."""
        if not takes_page(request.headers.get("accept")):
            return await self.about.root(request)
        if not is_known(request.scope):
            return page(self.service.display_name, [*self._head(), _LOCKED])
        counts, checks, models = await asyncio.gather(
            asyncio.gather(*(self._count(each) for each in self.collections)),
            self.health.checks(),
            _patiently(self.read_models.status()),
        )
        body = [*self._head(), *self._collections(counts), *_checks(checks), *_models(models)]
        return page(self.service.display_name, body)

    async def _count(self, collection: Table) -> str:
        """Return how many rows there are, or about how many if counting them would take long."""
        name = collection.read_model
        about = await _patiently(self.read_models.total(name, _PLANNED))
        if about is None or about > _MANY:
            return _number(about, "≈ ")
        return _number(await _patiently(self.read_models.total(name)))

    def _head(self) -> Iterable[str]:
        service = self.service
        name, version = escape(service.display_name), escape(service.version)
        yield f"<header>\n<h1>{name} <small>{version}</small></h1>"
        if service.description:
            yield f"<p>{escape(service.description)}</p>"
        told = self.about.told()
        links = (link(str(told[name]), words) for name, words in _LED.items() if name in told)
        yield f'<nav>{"".join(links)}</nav>\n</header>\n<main class="told">'

    def _collections(self, counts: Sequence[str]) -> Iterable[str]:
        yield "<h2>Collections</h2>"
        rows = (
            (link(f"{each.path}?page=1&size=20", each.plural), count, _ways(each))
            for each, count in zip(self.collections, counts, strict=True)
        )
        yield from table(("Name", "Entries", "As"), rows)


def _ways(of: Table) -> str:
    ways = {
        "CSV": f"{of.path}/$export?format=csv",
        "JSON": f"{of.path}/$export?format=json",
        "Schema": f"{of.path}/$schema",
    }
    return f'<span class="links">{"".join(link(at, words) for words, at in ways.items())}</span>'


def _checks(checks: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    yield "<h2>Health</h2>"
    rows = (
        (
            escape(name.replace("_", " ").capitalize()),
            state(each["state"], is_well=each["state"] == "healthy"),
            escape(each.get("message", "")),
        )
        for name, each in checks.items()
    )
    yield from table(("Check", "State", "Why"), rows)


def _models(models: Sequence[Status] | None) -> Iterable[str]:
    yield "<h2>Read models</h2>"
    if models is None:
        yield f"<p>{_UNKNOWN}</p>\n</main>"
        return
    rows = (
        (
            escape(each.name),
            state(each.state, is_well=each.state == "live"),
            _number(each.position),
            _number(each.lag),
        )
        for each in models
    )
    yield from table(("Name", "State", "Position", "Events behind"), rows)
    yield "</main>"


def _number(value: int | None, about: str = "") -> str:
    return _UNKNOWN if value is None else f"{about}{value:,}"


async def _patiently[T](awaited: Awaitable[T]) -> T | None:
    """Return what is awaited; None if it does not come in time, or the database is away."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await awaited
    except (StoreError, TimeoutError):
        return None
