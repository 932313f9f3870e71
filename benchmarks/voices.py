"""How the clients of the chaos run speak: over Kafka or over HTTP, and what they hear."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from benchmarks.http import Dropped, Line, Response, Unsent
from benchmarks.wishes import Wish
from treering import ulid
from treering.bus import Client, OutcomeTimeout
from treering.bus.client import Words
from treering.errors import BusError
from treering.message import Outcome, OutcomeWord
from treering.testing.ledger import Answer, Ledger, Said

_PATIENCE = 5.0
_TRIES = 20
_PAUSE = 0.1
_UNHEARD = 0.1
COMMANDS = "/api/v1/commands"
_DIRECT = {"create", "update", "patch", "delete", "restore", "purge"}
_PLACES = {"station": "stations", "measurement": "measurements"}
_encode = msgspec.json.Encoder().encode


class KafkaVoice:
    """Speaks through the kit's client; one time in ten it does not wait for an answer."""

    def __init__(self, client: Client, ledger: Ledger, random: Random) -> None:
        self._client = client
        self._ledger = ledger
        self._random = random

    async def say(self, wish: Wish, command: str | None) -> Said:
        """Say it, wait for the outcome, and return the ledger's line."""
        said = self._ledger.note(_said(wish, command or ulid.new()))
        words: Words = {"subject": wish.subject, "id": said.command, "expected": wish.expected}
        try:
            if self._random.random() < _UNHEARD:
                async with asyncio.timeout(_PATIENCE):
                    await self._client.publish(wish.type, wish.body, **words)
                said.is_taken = True
                return said
            outcome = await self._client.ask(wish.type, wish.body, timeout=_PATIENCE, **words)
        except OutcomeTimeout as error:
            said.is_taken = error.is_taken
            return said
        except (BusError, TimeoutError):
            return said
        said.answer = None if outcome.dead or outcome.parked else Answer.of(outcome)
        return said


class HttpVoice:
    """Speaks to gateways: by the entity's addresses where there are any, else by commands."""

    def __init__(self, ports: Sequence[int], ledger: Ledger, random: Random) -> None:
        self._ports = ports
        self._ledger = ledger
        self._random = random
        self._free: dict[int, list[Line]] = {port: [] for port in ports}

    def close(self) -> None:
        """Hang up."""
        for lines in self._free.values():
            for line in lines:
                line.close()

    async def say(self, wish: Wish, command: str | None) -> Said:
        """Say it, wait for the answer, and return the ledger's line."""
        kind = wish.type.partition(".")[0]
        directly = command is None and wish.word in _DIRECT and kind in _PLACES
        if not directly and command is None and self._random.random() < 0.7:
            command = ulid.new()
        said = self._ledger.note(_said(wish, command))
        said.via, said.request = "http", f"request-{ulid.new()}"
        said.by_address = directly
        method, path, body = _address(wish) if directly else ("POST", COMMANDS, _event(said))
        headers = {"x-request-id": said.request, "content-type": "application/json"}
        if directly and wish.expected is not None:
            headers["if-match"] = f'"{wish.expected}"'
        for _ in range(_TRIES):
            try:
                _hear(said, await self._request(method, path, body, headers))
            except Unsent:
                await asyncio.sleep(_PAUSE)
                continue
            except Dropped:
                break
            break
        return said

    async def _request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Response:
        """Ask one of the gateways, on a line that nobody else uses at the moment."""
        port = self._random.choice(self._ports)
        free = self._free[port]
        line = free.pop() if free else Line(port)
        try:
            return await line.request(method, path, body=body, headers=headers, timeout=_PATIENCE)
        finally:
            free.append(line)


def _said(wish: Wish, command: str | None) -> Said:
    return Said(
        type=wish.type,
        body=wish.body,
        subject=wish.subject,
        expected=wish.expected,
        command=command,
    )


def _address(wish: Wish) -> tuple[str, str, bytes]:
    """Return method, path and body."""
    kind = wish.type.partition(".")[0]
    place, name = f"/api/v1/{_PLACES[kind]}", (wish.subject or "/").partition("/")[2]
    match wish.word:
        case "create":
            return "POST", place, _encode({**wish.body, "id": name} if name else wish.body)
        case "update":
            return "PUT", f"{place}/{name}", _encode(wish.body)
        case "patch":
            return "PATCH", f"{place}/{name}", _encode(wish.body)
        case "delete":
            return "DELETE", f"{place}/{name}", b""
        case word:
            return "POST", f"{place}/{name}/${word}", b""


def _event(said: Said) -> bytes:
    """Return the command as a CloudEvent in structured mode."""
    words = {
        "id": said.command,
        "subject": said.subject,
        "expectedversion": said.expected,
    }
    present = {name: value for name, value in words.items() if value is not None}
    return _encode({"type": said.type, "data": said.body, **present})


def _hear(said: Said, response: Response) -> None:
    """Write down what a response tells; one that is no answer may still name the command."""
    found: dict[str, Any] = msgspec.json.decode(response.body) if response.body else {}
    if response.status >= 500:
        said.command = said.command or found.get("command")
    elif response.status >= 400:
        said.answer = Answer(word="refused", problem=found["type"])
    elif "outcome" in found and "command" in found:
        said.command = found["command"]
        said.answer = Answer.of(_outcome(found))
    else:
        said.answer = _shown(said, response, found)


def _outcome(found: dict[str, Any]) -> Outcome:
    return Outcome(
        command=found["command"],
        outcome=found["outcome"],
        stream=found.get("stream"),
        version=found.get("version"),
        positions=found.get("positions"),
        entity=found.get("entity"),
        problem=found.get("problem"),
    )


def _shown(said: Said, response: Response, found: dict[str, Any]) -> Answer:
    """Return what the answer of an entity's own address tells."""
    headers = response.headers
    changed = "treering-position" in headers or "treering-read-model" in headers
    word: OutcomeWord = "accepted" if changed else "nothing"
    kind, named = said.type.partition(".")[0], found.get("id")
    position = headers.get("treering-position")
    return Answer(
        word=word,
        stream=f"{kind}/{named}" if named else said.subject,
        version=int(headers["etag"].strip('"').partition("-")[0]) if "etag" in headers else None,
        last=int(position.rpartition(":")[2]) if position else None,
        entity=found if named else None,
    )
