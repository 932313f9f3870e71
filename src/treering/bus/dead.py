"""The dead letters of a namespace: listed, shown, and told which of them are settled.

Their topic is a log and keeps them all; a letter is open until its command has a verdict.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from treering import ulid
from treering.bus.envelope import Said, address, envelope, made_id_of, word
from treering.bus.kafka import Headers, Record
from treering.bus.letter import REASONS
from treering.bus.records import records_of
from treering.bus.signature import is_signed
from treering.bus.topics import Topics
from treering.bus.wire import SIGNED
from treering.errors import BusError, DeadLetter
from treering.message import DEFAULT_TENANT
from treering.store import Reader


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

    @property
    def renewed(self) -> str:
        """The id under which it is sent back as new: the same one every time."""
        place = (self.topic, str(self.partition), str(self.offset))
        return ulid.derive(self.time, *place, "as new")


class _Content(NamedTuple):
    """Whose command it is, and what it says."""

    tenant: str
    actor: str
    fingerprint: bytes


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


async def dead_settled(
    reader: Reader, letters: Sequence[Letter], *, secret: bytes | None = None
) -> Mapping[str, str]:
    """Say why nothing is left to do for a letter, by its place; one that is not named is open.

    Its command has a verdict, or one as which it was sent back as new; or a later one of *letters*
    says the same again. With *secret* it is believed who signed, as handlers do.
    """
    said = [(_said(letter, secret), letter) for letter in letters]
    decided = await _decided(reader, said)
    newest = {(what, letter.command): letter for what, letter in said}
    settled: dict[str, str] = {}
    for what, letter in said:
        later = newest.get((what, letter.renewed), newest[what, letter.command])
        if outcome := decided.get((what.tenant, letter.command)):
            settled[letter.place] = outcome
        elif later is not letter:
            settled[letter.place] = f"died again as {later.place}"
    return settled


async def _decided(
    reader: Reader, said: Sequence[tuple[_Content, Letter]]
) -> Mapping[tuple[str, str], str]:
    """Return the outcomes of decided commands by tenant and id, whichever id was decided."""
    asked: dict[str, set[str]] = defaultdict(set)
    for what, letter in said:
        asked[what.tenant] |= {letter.command, letter.renewed}
    outcomes = {
        (tenant, command): verdict.outcome
        for tenant, commands in asked.items()
        for command, verdict in (await reader.verdicts([*commands], tenant)).items()
    }
    as_new = {
        (what.tenant, letter.command): outcomes[what.tenant, letter.renewed]
        for what, letter in said
        if (what.tenant, letter.renewed) in outcomes
    }
    return as_new | outcomes


def _said(letter: Letter, secret: bytes | None) -> _Content:
    """Return what a handler will take the letter for once it is sent back."""
    mark = address(letter.record).fingerprint
    try:
        said, body = envelope(letter.record)
        if secret is not None and is_rightly_signed(secret, said, body):
            tenant, actor = (word(said, name) for name in ("ce_tenant", "ce_actor"))
            return _Content(tenant or DEFAULT_TENANT, actor or "kafka", mark)
    except DeadLetter:
        pass
    return _Content(DEFAULT_TENANT, "kafka", mark)


def is_rightly_signed(secret: bytes, said: Said, body: bytes) -> bool:
    """Tell whether what a letter says is what its sender signed."""
    fields = [said.get(name) or b"" for name in SIGNED]
    return is_signed(secret, [*fields, body], said.get("ce_signature") or b"")


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
            raise NoDeadLetter(
                f"There is no dead letter {name!r}; `treering dead list --settled` shows all."
            )
    return [by_name[name] for name in names]
