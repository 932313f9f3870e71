"""Partitions as Kafka's own clients count them."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from treering.bus import partition_of
from treering.bus.partitions import murmur2


def test_the_vectors_of_kafkas_own_tests() -> None:
    vectors = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    for data, expected in vectors.items():
        assert murmur2(data) == expected & 0xFFFFFFFF


@given(st.text(min_size=1), st.integers(min_value=1, max_value=50))
def test_a_key_has_the_partition_that_the_default_partitioner_gives_it(
    key: str, partitions: int
) -> None:
    everywhere = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(
        key.encode(), everywhere, everywhere
    )
