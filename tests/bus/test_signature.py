"""Who says a command, as anyone can compute it."""

import hmac
from base64 import b64encode
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from treering.bus import sign
from treering.bus.signature import joined


def test_the_vector_of_the_reference() -> None:
    signature = sign(
        b"only for tests",
        id="01JD3V0M7P3M1V9B6Q2WZ1X5YK",
        tenant="default",
        actor="ann",
        type="dataset.create.v1",
        subject="dataset/rain",
        expected="0",
        body=b'{"name":"rain","rows":12}',
    )
    assert signature == "/t512ewXn5wK5+KQ8+i/Zolu89KJRajTFK+vQGPqm1Q="


def test_the_contract_in_other_words() -> None:
    fields = ["1", "", "ännchen", "dataset.delete.v1", "dataset/rain", ""]
    said = b"".join(
        len(each.encode()).to_bytes(4, "big") + each.encode() for each in [*fields, "{}"]
    )
    expected = b64encode(hmac.new(b"key", said, sha256).digest()).decode()
    assert expected == sign(
        b"key", id="1", actor="ännchen", type=fields[3], subject=fields[4], body=b"{}"
    )


@given(st.lists(st.binary(max_size=8)), st.lists(st.binary(max_size=8)))
def test_no_two_lists_of_fields_are_signed_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (joined(one) == joined(other)) is (one == other)
