"""Clients that own a station each: they change it through any gateway, and know what it must be."""

import asyncio
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from benchmarks.http import Dropped, Line, Response, Unsent
from treering import ulid
from treering.testing.fleet import Member

_PATIENCE = 15.0
_PAUSE = 0.05
_PLACE = "/api/v1/stations"
_PARKED = "urn:treering:error:parked"
_UNITS = ("cm", "ft", "in")
"""None of them is the default, so that one who was made to forget it is seen."""
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Traffic:
    """The gateways that are spoken to, as a load balancer has them, and what went wrong."""

    members: dict[str, Member] = field(default_factory=dict[str, Member])
    newer: set[str] = field(default_factory=set[str])
    """The names of those that know the new field."""
    faults: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])
    parked: list[str] = field(default_factory=list[str])
    """Commands that waited for a newer handler."""
    may_park: bool = False
    """Whether senders of the new field are there before handlers of it."""
    _open: Counter[str] = field(default_factory=Counter[str])

    def admit(self, member: Member, *, is_newer: bool) -> None:
        """Let requests go to *member*."""
        self.members[member.name] = member
        if is_newer:
            self.newer.add(member.name)

    async def dismiss(self, member: Member) -> None:
        """Let no more requests go to *member*, and wait for those that are on their way."""
        del self.members[member.name]
        while self._open[member.name]:
            await asyncio.sleep(0.01)

    @contextmanager
    def one(self, random: Random) -> Generator[Member]:
        """Lend a gateway for one request."""
        member = random.choice([*self.members.values()])
        self._open[member.name] += 1
        try:
            yield member
        finally:
            self._open[member.name] -= 1

    def fault(self, what: str) -> None:
        """Take note of a promise that was not kept."""
        self.faults.append(what)


class Owner:
    """Owns one station; nobody else changes it, so that every answer about it is known before."""

    def __init__(self, traffic: Traffic, number: int, seed: int) -> None:
        self.station = f"owned-{number}"
        self.name = f"owned {number}"
        self.height = 0.0
        self.unit: str | None = None
        """What it must be; None while that is not known."""
        self.has_unit = False
        """Whether one was ever said, which nobody may forget."""
        self._traffic = traffic
        self._random = Random(f"{seed}/owner/{number}")
        self._lines: dict[str, Line] = {}
        self._exists = False

    async def live(self, over: asyncio.Event) -> None:
        """Change the station, and look whether the change can be seen, until it is *over*."""
        while not over.is_set():
            await self._change()
            await asyncio.sleep(_PAUSE)
        for line in self._lines.values():
            line.close()

    async def _change(self) -> None:
        with self._traffic.one(self._random) as member:
            is_newer = member.name in self._traffic.newer
            method, path, said, headers = self._wish(is_newer=is_newer)
            answer = await self._request(member, method, path, _encode(said), headers)
        if answer is None or not self._is_well(answer, f"{method} {path}", said):
            return
        self._exists = True
        self._learn(said, replaces=bool(headers))
        self._compare(answer, f"the answer to {method} {path}", is_newer=is_newer)
        await self._look(answer.headers.get("treering-position"))

    def _wish(self, *, is_newer: bool) -> tuple[str, str, Mapping[str, Any], Mapping[str, str]]:
        """Return method, path, body and headers of what comes next."""
        random, height = self._random, self._random.randrange(8000) / 2
        unit = {"unit": random.choice(_UNITS)} if is_newer and random.random() < 0.5 else {}
        if not self._exists:
            return "POST", _PLACE, {"id": self.station, "name": self.name, **unit}, {}
        path = f"{_PLACE}/{self.station}"
        if unit and random.random() < 0.5:
            return "PUT", path, unit, {}
        (word,) = random.choices(("PUT", "PATCH", "replace"), (6, 6, 1))
        if word == "replace":
            said = {"name": self.name, "height": height, **unit}
            return "PUT", path, said, {"prefer": "handling=replace"}
        return word, path, {"height": height, **unit}, {}

    def _learn(self, said: Mapping[str, Any], *, replaces: bool) -> None:
        self.height = said.get("height", self.height)
        if "unit" in said:
            self.unit, self.has_unit = said["unit"], True
        elif replaces:
            self.unit = None

    async def _look(self, token: str | None) -> None:
        """Look through any gateway whether what was answered can be seen."""
        with self._traffic.one(self._random) as member:
            headers = {"treering-position": token} if token else {}
            path = f"{_PLACE}/{self.station}"
            answer = await self._request(member, "GET", path, b"", headers)
            is_newer = member.name in self._traffic.newer
        if answer is None:
            return
        if answer.status != 200:
            self._traffic.fault(f"GET {path} at {member.name}: {answer.status} {answer.body!r}")
            return
        found = self._compare(answer, f"GET {path} at {member.name}", is_newer=is_newer)
        if is_newer and "unit" not in found:
            self._traffic.fault(f"GET {path} at {member.name} shows no unit")
        elif is_newer and self.unit is None:
            self.unit = found["unit"]

    def _compare(self, answer: Response, what: str, *, is_newer: bool) -> dict[str, Any]:
        """Compare an answer with what is known; return what it shows."""
        found: dict[str, Any] = msgspec.json.decode(answer.body)
        told = (found["name"], found["height"])
        if told != (self.name, self.height):
            self._traffic.fault(f"{what} is stale: {told}, not {(self.name, self.height)}")
        is_shown = is_newer and "unit" in found
        if is_shown and self.unit is not None and found["unit"] != self.unit:
            self._traffic.fault(f"{what}: the unit is {found['unit']}, not {self.unit}")
        return found

    async def _request(
        self, member: Member, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Response | None:
        line = self._lines.setdefault(member.name, Line(member.port))
        sent = {"content-type": "application/json", "x-request-id": ulid.new(), **headers}
        self._traffic.counts[method] += 1
        try:
            return await line.request(method, path, body=body, headers=sent, timeout=_PATIENCE)
        except (Dropped, Unsent) as error:
            self._traffic.fault(f"{method} {path} at {member.name} was not answered: {error}")
            return None

    def _is_well(self, answer: Response, what: str, said: Mapping[str, Any]) -> bool:
        """Say whether it was done; what is parked is done later, and only then may it fail."""
        if answer.status in (200, 201):
            return True
        found: dict[str, Any] = msgspec.json.decode(answer.body)
        if found["type"] == _PARKED and "unit" in said and self._traffic.may_park:
            self._traffic.counts["parked"] += 1
            self._traffic.parked.append(found["command"])
            self._abandon()
            return False
        self._traffic.fault(f"{what} was answered {answer.status}: {found}")
        return False

    def _abandon(self) -> None:
        """Leave the station to what is still to come, and own another one."""
        suffix = ulid.new()[-10:]
        self.station, self.name = f"owned-{suffix}", f"owned {suffix}"
        self.height, self.unit, self._exists, self.has_unit = 0.0, None, False, False
