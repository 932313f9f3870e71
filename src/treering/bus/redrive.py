"""Dead letters sent back to where they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treering.bus.dead import Letter, dead_list, dead_settled, is_rightly_signed, named
from treering.bus.envelope import Said, envelope
from treering.bus.kafka import Headers, new_producer, started
from treering.bus.letter import REASONS, stamp
from treering.bus.partitions import partition_of
from treering.bus.signature import signature
from treering.bus.topics import Topics, partition_counts
from treering.bus.wire import SIGNED
from treering.errors import BusError, DeadLetter
from treering.store import Reader

_TOO_OLD = "urn:treering:error:too-old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """A dead letter that was sent back."""

    letter: Letter
    command: str
    """The id under which it will be decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    command: str
    key: bytes | None
    value: bytes
    headers: Headers


async def dead_redrive(
    kafka: str,
    topics: Topics,
    reader: Reader,
    names: Sequence[str] | None = None,
    *,
    secret: bytes | None = None,
    as_new: bool = False,
) -> list[Redriven]:
    """Send dead letters back to where they came from; all that are open without *names*.

    They keep their ids, so that one that was decided meanwhile is answered from its verdict; with
    *as_new* they get new ones, which one that was too old needs, the same ones each time. With
    *secret* they are signed: one whose signature is wrong or missing as said by `kafka`.
    Raises BusError, and sends nothing, if one of *names* is settled or needs *as_new*.
    """
    letters = await dead_list(kafka, topics)
    settled = await dead_settled(reader, letters, secret=secret)
    chosen = _chosen(letters, settled, names, as_new=as_new)
    targets = sorted({_target(topics, letter) for letter in chosen})
    if not targets:
        return []
    counts = await partition_counts(kafka, targets)
    redriven: list[Redriven] = []
    async with started(new_producer(kafka)) as producer:
        for letter in chosen:
            sent = _redriven(letter, secret=secret, as_new=as_new)
            target = _target(topics, letter)
            key = sent.key or sent.command.encode()
            delivery = await producer.send(
                target,
                sent.value,
                sent.key,
                partition_of(key.decode(errors="replace"), counts[target]),
                headers=sent.headers,
            )
            await delivery
            redriven.append(Redriven(letter=letter, command=sent.command))
    return redriven


def _chosen(
    letters: Sequence[Letter],
    settled: Mapping[str, str],
    names: Sequence[str] | None,
    *,
    as_new: bool,
) -> Sequence[Letter]:
    """Return the letters of these names, or all that are open; raises BusError if one may not."""
    if names is None:
        chosen: Sequence[Letter] = [each for each in letters if each.place not in settled]
    else:
        chosen = named(letters, names)
    for letter in chosen:
        if letter.place in settled:
            raise BusError(
                f"The dead letter {letter.place} is settled ({settled[letter.place]}): nothing is "
                "left to send back; `treering dead list` shows those that are open."
            )
        if letter.error == _TOO_OLD and not as_new:
            raise BusError(
                f"{letter.place} is older than the verdicts, it may have been decided long ago: "
                "send it as new if it is still meant."
            )
    return chosen


def _target(topics: Topics, letter: Letter) -> str:
    ours = letter.topic == topics.commands or letter.topic.startswith(f"{topics.commands}.")
    return letter.topic if ours else topics.commands


def _redriven(letter: Letter, *, secret: bytes | None, as_new: bool) -> _Sent:
    try:
        said, body = envelope(letter.record)
    except DeadLetter:
        return _unread(letter)
    command = letter.renewed if as_new else letter.command
    old = letter.command.encode()
    key = letter.record.key
    again = {name: value for name, value in said.items() if value and name not in REASONS}
    again.pop("reply-to", None)
    again |= {"ce_id": command.encode(), "content-type": b"application/json"}
    again.setdefault("ce_time", stamp(letter.time).encode())
    if as_new:
        again.setdefault("ce_causationid", old)
    _sign(again, said, body, secret)
    return _Sent(
        command=command,
        key=command.encode() if key == old else key,
        value=body,
        headers=list(again.items()),
    )


def _unread(letter: Letter) -> _Sent:
    """Return a record as it came, with the id that it was given; what it says can not be read."""
    headers = [each for each in letter.headers if each[0] != "ce_id"]
    return _Sent(
        command=letter.command,
        key=letter.record.key,
        value=letter.record.value or b"",
        headers=[*headers, ("ce_id", letter.command.encode())],
    )


def _sign(again: dict[str, bytes], said: Said, body: bytes, secret: bytes | None) -> None:
    """Sign what is sent again; whose signature was not right speaks as `kafka`."""
    if secret is None:
        return
    if not is_rightly_signed(secret, said, body):
        again.pop("ce_tenant", None)
        again["ce_actor"] = b"kafka"
    fields = [again.get(name, b"") for name in SIGNED]
    again["ce_signature"] = signature(secret, [*fields, body])
