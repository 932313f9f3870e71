"""Records that the driver can not read: those with a header whose name is no UTF-8.

aiokafka gives up at such a record, and with it its whole partition; the next fetches would fail the
same. Here such a name is written with backslashes, so that it is merely unknown.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.util import calc_crc32c, decode_varint

from treering.bus.kafka import LARGEST_RECORD, Record
from treering.errors import BusError

_HEADER = struct.Struct(">qiibIhiqqqhii")
_START = struct.calcsize(">qi")
_CHECKED_FROM = struct.calcsize(">qiibI")
_APPEND_TIME = 0x08
_CONTROL = 0x20
_CODECS: Mapping[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}


async def salvage(
    kafka: str, positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[Record]]:
    """Return the records that follow each position, up to what one fetch brings."""
    client = AIOKafkaClient(bootstrap_servers=kafka)
    try:
        await client.bootstrap()
        await cast("Any", client).set_topics({partition.topic for partition in positions})
        found = {
            partition: await _fetched(client, partition, offset)
            for partition, offset in positions.items()
        }
    finally:
        await client.close()
    return {partition: records for partition, records in found.items() if records}


async def _fetched(client: AIOKafkaClient, partition: TopicPartition, offset: int) -> list[Record]:
    asked = [(partition.topic, [(partition.partition, offset, LARGEST_RECORD)])]
    request = FetchRequest(0, 0, LARGEST_RECORD, 0, asked)
    leader = cast("Any", client).cluster.leader_for_partition(partition)
    response: Any = await cast("Any", client).send(leader, request)
    ((_, ((_, code, *_, raw),)),) = response.topics
    if code:
        raise for_code(code)(partition)
    return [record for record in _records(partition, raw or b"") if record.offset >= offset]


def _records(partition: TopicPartition, raw: bytes) -> Iterator[Record]:
    while len(raw) > _HEADER.size:
        end = _START + struct.unpack_from(">i", raw, 8)[0]
        if end > len(raw):
            return
        yield from _batch(partition, raw[:end])
        raw = raw[end:]


def _batch(partition: TopicPartition, raw: bytes) -> Iterator[Record]:
    base, _, _, _, crc, attributes, _, first, latest, _, _, _, count = _HEADER.unpack_from(raw)
    if crc != calc_crc32c(raw[_CHECKED_FROM:]):
        raise BusError(f"{partition.topic}-{partition.partition} is damaged at offset {base}.")
    if attributes & _CONTROL:
        return
    scan = _Scan(_CODECS[attributes & 0x07](raw[_HEADER.size :]))
    appended = bool(attributes & _APPEND_TIME)
    for _ in range(count):
        scan.number()
        scan.number()
        moment = scan.number()
        offset = base + scan.number()
        key, value = scan.data(), scan.data()
        headers = [
            ((scan.data() or b"").decode(errors="backslashreplace"), scan.data())
            for _ in range(scan.number())
        ]
        yield ConsumerRecord(
            partition.topic,
            partition.partition,
            offset,
            latest if appended else first + moment,
            int(appended),
            key,
            value,
            None,
            len(key or b""),
            len(value or b""),
            cast("Any", tuple(headers)),
        )


class _Scan:
    """A place in the records of a batch."""

    def __init__(self, raw: bytes) -> None:
        self._raw = bytearray(raw)
        self._at = 0

    def number(self) -> int:
        value, self._at = decode_varint(self._raw, self._at)
        return value

    def data(self) -> bytes | None:
        size = self.number()
        if size < 0:
            return None
        self._at += size
        return bytes(self._raw[self._at - size : self._at])
