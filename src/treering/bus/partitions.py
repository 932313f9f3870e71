"""Which partition a key belongs to, as Kafka's own clients count."""

import struct
from functools import lru_cache

_M = 0x5BD1E995
_SEED = 0x9747B28C
_BITS = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return the hash that Kafka's default partitioner takes of a key."""
    length = len(data)
    h = _SEED ^ length
    for k in struct.unpack_from(f"<{length >> 2}I", data):
        k = k * _M & _BITS  # noqa: PLW2901 - the names of the algorithm
        h = (h * _M ^ (k ^ k >> 24) * _M) & _BITS
    whole = length & ~3
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _BITS
    h = (h ^ h >> 13) * _M & _BITS
    return h ^ h >> 15


@lru_cache(maxsize=4096)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of *key* in a topic that was created with so many *partitions*."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
