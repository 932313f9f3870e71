"""The dead letters of a namespace, listed and shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from treering.bus.envelope import Said, envelope, made_id_of
from treering.bus.kafka import Headers, Record
from treering.bus.letter import REASONS
from treering.bus.records import records_of
from treering.bus.topics import Topics
from treering.errors import BusError, DeadLetter


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A record that could not become a command."""

    place: str
    """Where it lies among the dead letters, such as `2-17`: its name for `show` and `redrive`."""
    command: str
    """The command's id, made up if it came without one."""
    type: str
    subject: str
    error: str
    """Why it died, as a problem's type."""
    reason: str
    topic: str
    partition: int
    offset: int
    time: datetime
    """When Kafka took the record."""
    died: datetime
    record: Record

    @property
    def headers(self) -> Headers:
        """The headers as they came."""
        return [each for each in self.record.headers if each[0] not in REASONS]


class NoDeadLetter(BusError):
    """There is no dead letter of that name."""


async def dead_list(kafka: str, topics: Topics) -> list[Letter]:
    """Return all dead letters in the order Kafka took them; one set aside twice is one."""
    found: dict[tuple[datetime, str, int, int], Letter] = {}
    async for record in records_of(kafka, topics.dead):
        if (letter := _letter(record)) is not None:
            found.setdefault((letter.time, letter.topic, letter.partition, letter.offset), letter)
    return [found[place] for place in sorted(found)]


async def dead_show(kafka: str, topics: Topics, name: str) -> Letter:
    """Return the dead letter called *name*: its place, or its command's id (then the newest).

    Raises NoDeadLetter if there is none.
    """
    (letter,) = named(await dead_list(kafka, topics), [name])
    return letter


def _letter(record: Record) -> Letter | None:
    """Return the letter; None if somebody has put something else there."""
    said = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    try:
        partition, offset = int(said["dead-partition"]), int(said["dead-offset"])
        time = datetime.fromisoformat(said["dead-time"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
    content = _content(record)
    read = {name: (value or b"").decode(errors="replace") for name, value in content.items()}
    topic = said.get("dead-topic", "")
    return Letter(
        place=f"{record.partition}-{record.offset}",
        command=read.get("ce_id") or made_id_of(topic, partition, offset, time),
        type=read.get("ce_type", ""),
        subject=read.get("ce_subject") or (record.key or b"").decode(errors="replace"),
        error=said.get("dead-error", ""),
        reason=said.get("dead-reason", ""),
        topic=topic,
        partition=partition,
        offset=offset,
        time=time,
        died=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        record=record,
    )


def _content(record: Record) -> Said:
    try:
        return envelope(record)[0]
    except DeadLetter:
        return dict(record.headers)


def named(letters: Sequence[Letter], names: Sequence[str]) -> list[Letter]:
    """Return the letters of these names; raises NoDeadLetter if there is none of one."""
    by_name = {letter.command: letter for letter in letters}
    by_name |= {letter.place: letter for letter in letters}
    for name in names:
        if name not in by_name:
            raise NoDeadLetter(f"There is no dead letter {name!r}; `treering dead list` shows all.")
    return [by_name[name] for name in names]
