"""Events that follow from a command, on their way to being recorded, and the verdict of it."""

from datetime import datetime
from typing import Any

import msgspec

from treering.message import Event, Position, Recorded, Verdict
from treering.store import Appended, Entry, Ruling


class Made(msgspec.Struct, gc=False):
    """An event of a plan, and its place in its stream."""

    entry: Entry
    event: Event

    def recorded(self, position: Position, at: datetime) -> Recorded[Any]:
        """Return the event as it was stored, or will be."""
        entry = self.entry
        origin = entry.origin
        return Recorded(
            position=position,
            stream=entry.stream,
            version=entry.version,
            id=entry.id,
            type=entry.type,
            event=self.event,
            time=origin.time,
            recorded_at=at,
            tenant=origin.tenant,
            actor=origin.actor,
            correlation=origin.correlation,
            causation=origin.command,
            traceparent=origin.traceparent,
        )


def placed(ruling: Ruling, answer: Appended) -> Verdict:
    """Return the verdict with where and when its events were stored."""
    if ruling.first is None or ruling.last is None:
        return msgspec.structs.replace(ruling.verdict, recorded_at=answer.recorded_at)
    positions = (answer.base + ruling.first, answer.base + ruling.last)
    return msgspec.structs.replace(
        ruling.verdict, recorded_at=answer.recorded_at, positions=positions
    )
