"""Where Kafka's logs end, read from the disk while the broker is down.

This is the end as it was before anybody could produce. The broker itself can only be asked when
others can already write.
"""

import mmap
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CLEAN = ".kafka_cleanshutdown"
RECOVERY_POINTS = "recovery-point-offset-checkpoint"
PARTITION = re.compile(r"(?P<topic>.+)-(?P<number>\d+)")
BATCH = struct.Struct(">qiibIhi")
"""Base offset, length of what follows it, leader epoch, magic, CRC, attributes, last delta."""
UNCOUNTED = 12
MAGIC = 2
INDEX_ENTRY = struct.Struct(">ii")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """A topic and the number of one of its partitions."""

    topic: str
    number: int


def ended_cleanly(data: Path) -> bool:
    """Tell whether the broker said, as its last word, that all its logs are on the disk."""
    return (data / CLEAN).exists()


def ends(data: Path) -> Mapping[Partition, int]:
    """Return the offset after the last whole batch of every partition."""
    found: dict[Partition, int] = {}
    trusted = ended_cleanly(data)
    for folder in data.iterdir():
        match = PARTITION.fullmatch(folder.name)
        if match and folder.is_dir():
            partition = Partition(match["topic"], int(match["number"]))
            found[partition] = _end(folder, trust_index=trusted)
    return found


def are_cut(data: Path, found: Mapping[Partition, int]) -> bool:
    """Tell whether a log ends before the point up to which the broker had flushed it."""
    try:
        lines = (data / RECOVERY_POINTS).read_text().splitlines()[2:]
    except FileNotFoundError:
        return False
    flushed = (line.split() for line in lines)
    return any(
        found.get(Partition(topic, int(number)), 0) < int(offset)
        for topic, number, offset in flushed
    )


def _end(folder: Path, *, trust_index: bool) -> int:
    segments = sorted(folder.glob("*.log"))
    if not segments:
        return 0
    segment = segments[-1]
    size = segment.stat().st_size
    if size == 0:
        return int(segment.stem)
    start = _indexed(segment.with_suffix(".index")) if trust_index else 0
    with segment.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
        return _walk(log, start if start < size else 0, int(segment.stem))


def _indexed(index: Path) -> int:
    """Return the position of the last batch that the index of a segment knows."""
    try:
        entries = index.read_bytes()
    except FileNotFoundError:
        return 0
    return INDEX_ENTRY.unpack(entries[-INDEX_ENTRY.size :])[1] if len(entries) >= 8 else 0


def _walk(log: mmap.mmap, position: int, end: int) -> int:
    """Go from batch to batch; a batch that is not whole is no batch."""
    while position + BATCH.size <= len(log):
        base, length, _, magic, _, _, delta = BATCH.unpack_from(log, position)
        following = position + UNCOUNTED + length
        if magic != MAGIC or length < BATCH.size - UNCOUNTED or following > len(log):
            break
        position, end = following, base + delta + 1
    return end
