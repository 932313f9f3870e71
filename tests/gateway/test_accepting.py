"""What headers ask for, and what MessagePack and JSON say alike."""

from typing import Any

import msgspec
import pytest

from treering.gateway.forms.accepting import choices, coding
from treering.gateway.http.msgpack import json_of, msgpack_of


@pytest.mark.parametrize(
    ("said", "forms"),
    [
        (None, ["json", "msgpack", "csv"]),
        ("*/*", ["json", "msgpack", "csv"]),
        ("application/*", ["json", "msgpack"]),
        ("text/csv, application/json;q=0.5", ["csv", "json"]),
        ("text/*;q=0.3, */*;q=0.1", ["csv", "json", "msgpack"]),
        ("application/json;q=0, */*", ["msgpack", "csv"]),
        ("application/problem+json", ["json"]),
        ("application/vnd.treering.v1+json", ["json"]),
        ("application/vnd.treering+msgpack; version=1", ["msgpack"]),
        ("application/vnd.treering.v2+json", []),
        ("text/html", []),
        ("TEXT/CSV;q=oops,,;", ["csv"]),
    ],
)
def test_accept_is_read_by_its_ranks(said: str | None, forms: list[str]) -> None:
    assert [each.form for each in choices(said)] == forms


@pytest.mark.parametrize(
    ("said", "best"),
    [
        (None, None),
        ("", None),
        ("gzip, deflate", "gzip"),
        ("gzip, br", "br"),
        ("br;q=0.1, gzip", "gzip"),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("x-gzip", "gzip"),
    ],
)
def test_accept_encoding_is_read_by_its_ranks(said: str | None, best: str | None) -> None:
    assert coding(said) == best


def test_moments_of_messagepack_are_those_of_json() -> None:
    said = msgspec.msgpack.encode({"at": msgspec.json.decode('"2026-01-31T12:00:00Z"', type=Any)})
    assert json_of(said) == b'{"at":"2026-01-31T12:00:00Z"}'


def test_a_number_too_large_for_messagepack_is_a_text() -> None:
    found = msgspec.msgpack.decode(msgpack_of(b'{"big": [%d], "f": 1.0}' % 10**25))
    assert found == {"big": [str(10**25)], "f": 1.0}
