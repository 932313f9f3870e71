"""Commands of any type over HTTP, and what became of one."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import fault, invalid, nearest
from treering.errors import NotFound
from treering.gateway.asking import COMMANDS, Asked, Asking, expected_by
from treering.gateway.collection import ID, ID_IN_WORDS
from treering.gateway.http.body import json_object
from treering.gateway.http.query import parsed
from treering.gateway.http.routes import Routes
from treering.gateway.service.dead import DeadLetters
from treering.gateway.switches import Servings
from treering.handling import outcome_of
from treering.message import Outcome
from treering.registry import Registry
from treering.store import Reader
from treering.store.parked import is_parked

_LONGEST_ID = 128
_SUBJECT = re.compile(rf"[a-z][a-z0-9-]{{0,127}}/{ID.pattern}", re.ASCII)
_encode = msgspec.json.Encoder().encode


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    """A command as a CloudEvent in structured mode; what does not count over HTTP is left aside."""

    type: str
    subject: str | None = None
    id: str | None = None
    expectedversion: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    specversion: str = "1.0"
    source: str | None = None
    time: str | None = None
    datacontenttype: str = "application/json"
    dataschema: str | None = None


_events = msgspec.json.Decoder(_Event)


class Commands:
    """`/api/v1/commands`: say a command, or ask after one."""

    def __init__(
        self,
        asking: Asking,
        reader: Reader,
        registry: Registry,
        dead: DeadLetters,
        servings: Servings,
    ) -> None:
        self._asking = asking
        self._dead = dead
        self._servings = servings
        self._reader = reader
        self._registry = registry

    def add_to(self, routes: Routes) -> None:
        """Add its addresses."""
        routes.add("POST", COMMANDS, self.say)
        routes.add("GET", f"{COMMANDS}/{{id}}", self.ask)

    async def say(self, request: Request) -> Response:
        """Publish the command that the body is, and answer with its outcome."""
        raw, _ = await json_object(request)
        try:
            event = _events.decode(raw)
        except msgspec.ValidationError as error:
            raise invalid([fault((), "cloudevent", str(error))]) from None
        if faults := self._faults(event):
            raise invalid(faults)
        self._servings.check(event.type)
        asked = Asked(
            type=event.type,
            body=bytes(event.data),
            subject=event.subject,
            id=event.id,
            expected=expected_by(request)
            if event.expectedversion is None
            else event.expectedversion,
            dataschema=event.dataschema,
            shows_entity=False,
        )
        return await self._asking.answer(request, asked, _shown)

    def _faults(self, event: _Event) -> Sequence[Mapping[str, Any]]:
        faults: list[Mapping[str, Any]] = []
        if self._registry.command(event.type) is None:
            near = nearest(event.type[:_LONGEST_ID], [*self._registry.commands])
            faults.append(
                fault(
                    ("type",), "unknown_type", "No command of this service", event.type, near=near
                )
            )
        if event.id is not None and not ID.fullmatch(event.id):
            faults.append(fault(("id",), "id_format", f"Is {ID_IN_WORDS}", event.id))
        if event.subject is not None and not _SUBJECT.fullmatch(event.subject):
            said = f"Is <kind>/<id>, the id {ID_IN_WORDS}"
            faults.append(fault(("subject",), "subject_format", said, event.subject))
        return faults

    async def ask(self, request: Request) -> Response:
        """Answer with the outcome of a command, rebuilt from its verdict, `parked` or `pending`.

        Parked waits for a newer handler. Neither that nor a verdict nor a dead letter means
        pending: on its way, or never sent, which only the one who sent it knows.
        """
        parsed(request.scope["query_string"], {})
        command: str = request.path_params["id"]
        if len(command) > _LONGEST_ID or not command.isprintable():
            raise NotFound(f"{command[:_LONGEST_ID]!r} is no id of a command.")
        verdict = await self._reader.verdict(command)
        if verdict is not None:
            return _shown(await outcome_of(self._reader, self._registry, verdict))
        if (dead := await self._dead.outcome(command)) is not None:
            return _shown(dead)
        word = "parked" if await is_parked(self._reader, command) else "pending"
        pending = _encode({"command": command, "outcome": word})
        return Response(pending, headers={"Retry-After": "1"}, media_type="application/json")


def _shown(outcome: Outcome) -> Response:
    return Response(_encode(outcome), media_type="application/json")
