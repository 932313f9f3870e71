"""What the clients of the chaos run want of the rainfall service, drawn at random."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from treering import ulid
from treering.message import Stream, Version
from treering.testing.ledger import Answer

_MOST = 150
"""Streams of a kind that are remembered; older ones are left in peace."""
_TAGS = ("wet", "dry", "coast", "hills", "city", "new")
_NAMES = 400
_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A command that somebody may say."""

    type: str
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    subject: Stream | None = None
    expected: Version | None = None

    @property
    def word(self) -> str:
        """What is to be done, such as `create` or `fill`."""
        return self.type.split(".")[1]


class Wishes:
    """Draws wishes; what they were answered makes the next ones meet what is there."""

    def __init__(self) -> None:
        self._known: dict[str, list[Stream]] = {"station": [], "measurement": [], "tank": []}
        self._versions: dict[Stream, Version] = {}

    def draw(self, random: Random) -> Wish:
        """Return a wish; the first ones build what the others need."""
        made = {kind: len(streams) for kind, streams in self._known.items()}
        if min(made.values()) < 10:
            return random.choice((_station, _measurement, _tank))(self, random)
        (make,) = random.choices(_MAKERS, _WEIGHTS)
        return make(self, random)

    def learn(self, wish: Wish, answer: Answer) -> None:
        """Remember what a wish has made."""
        if answer.word != "accepted" or answer.stream is None:
            return
        stream, kind = answer.stream, answer.stream.partition("/")[0]
        if answer.version is not None:
            self._versions[stream] = answer.version
        known = self._known[kind]
        if wish.word in ("create", "build"):
            known.append(stream)
            if len(known) > _MOST:
                self._versions.pop(known.pop(0), None)
        elif wish.word == "purge" and stream in known:
            known.remove(stream)

    def some(self, random: Random, kind: str) -> Stream:
        """Return a stream of *kind* that was there."""
        return random.choice(self._known[kind] or [f"{kind}/nobody"])

    def version(self, stream: Stream) -> Version:
        """Return where *stream* was last seen."""
        return self._versions.get(stream, 1)


def _new(random: Random, kind: str) -> tuple[Stream | None, dict[str, Any]]:
    """Return a subject and what a body says of it: named by the client, or made by the service."""
    if random.random() < 0.5:
        return None, {}
    name = ulid.new() if random.random() < 0.5 else f"{kind}-{random.getrandbits(40):x}"
    return f"{kind}/{name}", {"id": name} if random.random() < 0.5 else {}


def _station(_: Wishes, random: Random) -> Wish:
    subject, body = _new(random, "station")
    name = f"{random.choice(_TAGS)}-{random.getrandbits(40):x}"
    body |= {"name": name, "height": random.randrange(4000) / 2, "tags": [random.choice(_TAGS)]}
    return Wish(type="station.create.v1", body=body, subject=subject)


def _namesake(_: Wishes, random: Random) -> Wish:
    subject, body = _new(random, "station")
    body |= {"name": f"station {random.randrange(_NAMES)}"}
    return Wish(type="station.create.v1", body=body, subject=subject)


def _measurement(known: Wishes, random: Random) -> Wish:
    subject, body = _new(random, "measurement")
    station = known.some(random, "station")
    day = f"2026-{random.randrange(1, 13):02}-{random.randrange(1, _DAYS):02}"
    body |= {"station": station, "day": day, "millimetres": random.randrange(500) / 10}
    return Wish(type="measurement.create.v1", body=body, subject=subject)


def _tank(_: Wishes, random: Random) -> Wish:
    subject, _said = _new(random, "tank")
    return Wish(
        type="tank.build.v1", body={"capacity": random.randrange(50, 5000)}, subject=subject
    )


def _fill(known: Wishes, random: Random) -> Wish:
    tank, litres = known.some(random, "tank"), random.randrange(1, 40)
    return Wish(type="tank.fill.v1", body={"litres": litres}, subject=tank)


def _pour(known: Wishes, random: Random) -> Wish:
    tank, into = known.some(random, "tank"), known.some(random, "tank")
    body = {"into": into, "litres": random.randrange(1, 20)}
    return Wish(type="tank.pour.v1", body=body, subject=tank)


def _raise(known: Wishes, random: Random) -> Wish:
    """Change a height, sometimes only if nobody else has changed anything."""
    station = known.some(random, "station")
    word = random.choice(("update", "patch"))
    return Wish(
        type=f"station.{word}.v1",
        body={"height": random.randrange(4000) / 2},
        subject=station,
        expected=known.version(station) if random.random() < 0.3 else None,
    )


def _rename(known: Wishes, random: Random) -> Wish:
    """Move a unique key, which somebody else may hold."""
    name = f"station {random.randrange(_NAMES)}"
    subject = known.some(random, "station")
    return Wish(type="station.update.v1", body={"name": name}, subject=subject)


def _correct(known: Wishes, random: Random) -> Wish:
    measurement = known.some(random, "measurement")
    body = {"millimetres": random.randrange(500) / 10}
    return Wish(type="measurement.update.v1", body=body, subject=measurement)


def _tags(known: Wishes, random: Random) -> Wish:
    """Add or take tags, which are often there or gone: then there is nothing to do."""
    kind = random.choice(("station", "measurement"))
    tags = random.sample(_TAGS, random.randrange(1, 3))
    word = random.choice(("tag", "untag"))
    return Wish(type=f"{kind}.{word}.v1", body={"tags": tags}, subject=known.some(random, kind))


def _nothing(known: Wishes, random: Random) -> Wish:
    """Pour a tank into itself, or update nothing."""
    if random.random() < 0.5:
        tank = known.some(random, "tank")
        return Wish(type="tank.pour.v1", body={"into": tank, "litres": 1}, subject=tank)
    return Wish(type="station.update.v1", body={}, subject=known.some(random, "station"))


def _gone(known: Wishes, random: Random) -> Wish:
    """Delete, bring back, and sometimes remove for ever."""
    kind = random.choice(("station", "measurement"))
    (word,) = random.choices(("delete", "restore", "purge"), (5, 6, 1))
    return Wish(type=f"{kind}.{word}.v1", subject=known.some(random, kind))


def _close(known: Wishes, random: Random) -> Wish:
    return Wish(type="station.close.v1", subject=known.some(random, "station"))


def _unknown(_: Wishes, random: Random) -> Wish:
    kind = random.choice(("station", "measurement"))
    return Wish(type=f"{kind}.delete.v1", subject=f"{kind}/nobody-{random.getrandbits(30):x}")


def _wrong(known: Wishes, random: Random) -> Wish:
    """Say what does not fit: another version, a field too much, an entity that is there."""
    station = known.some(random, "station")
    return random.choice((
        Wish(type="station.update.v1", body={"height": 1}, subject=station, expected=9999),
        Wish(type="station.update.v1", body={"hieght": 1}, subject=station),
        Wish(type="station.create.v1", body={"name": "again"}, subject=station),
        Wish(type="tank.fill.v1", body={"litres": 0}, subject=known.some(random, "tank")),
    ))  # fmt: skip


_MIX: Sequence[tuple[Callable[[Wishes, Random], Wish], int]] = (
    (_station, 10), (_namesake, 3), (_measurement, 14), (_tank, 4), (_fill, 24), (_pour, 14),
    (_raise, 12), (_rename, 3), (_correct, 8), (_tags, 6), (_nothing, 3), (_gone, 6), (_close, 2),
    (_unknown, 2), (_wrong, 3),
)  # fmt: skip
_MAKERS = [make for make, _ in _MIX]
_WEIGHTS = [weight for _, weight in _MIX]
