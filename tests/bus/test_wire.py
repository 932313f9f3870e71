"""From records to commands: what is believed, what is made up, and what is a dead letter."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bus.kinds import REGISTRY
from tests.bus.records import AT, record
from treering import ulid
from treering.bus import LARGEST_BODY, CommandReader, sign
from treering.bus.envelope import address
from treering.entity import Create, Delete, Entity, Fields
from treering.errors import DeadLetter
from treering.message import Malformed, Received
from treering.registry import Registry

SECRET = b"only for tests"
CREATE = {"ce_type": b"dataset.create.v1", "ce_id": b"first-1", "ce_subject": b"dataset/rain"}
READER = CommandReader(REGISTRY, secret=SECRET)


def read(
    value: bytes | None = b'{"name":"rain"}', headers: dict[str, bytes] | None = None, **given: Any
) -> Received[Any]:
    return READER.read(record(value, CREATE if headers is None else headers, **given))


def dies(
    value: bytes | None = b"{}", headers: dict[str, bytes] | None = None, **given: Any
) -> tuple[str, str]:
    with pytest.raises(DeadLetter) as caught:
        read(value, headers, **given)
    return caught.value.word, caught.value.reason


def signed(headers: dict[str, bytes], body: bytes) -> dict[str, bytes]:
    said = {name.removeprefix("ce_"): value.decode() for name, value in headers.items()}
    said["expected"] = said.pop("expectedversion", "")
    signature = sign(SECRET, body=body, **said)
    return headers | {"ce_signature": signature.encode()}


def test_a_record_that_says_everything_is_believed() -> None:
    body = b'{"name":"rain"}'
    headers = signed(
        CREATE | {"ce_expectedversion": b"3", "ce_actor": b"ann", "ce_tenant": b"acme"}, body
    ) | {
        "ce_time": b"2026-11-21T13:00:00.5+01:00",
        "ce_source": b"/test",
        "ce_specversion": b"1.0",
        "ce_correlationid": b"whole",
        "ce_causationid": b"before",
        "traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "reply-to": b"3",
        "content-type": b"application/json",
    }
    received = read(body, headers)
    assert received.command == Create(fields={"name": "rain"})
    assert (received.id, received.type) == ("first-1", "dataset.create.v1")
    assert received.stream == "dataset/rain"
    assert (received.actor, received.tenant, received.expected) == ("ann", "acme", 3)
    assert received.time == datetime(2026, 11, 21, 12, 0, 0, 500_000, UTC)
    assert received.now == AT
    assert (received.correlation, received.causation) == ("whole", "before")
    assert received.traceparent is not None
    assert received.reply_to == 3
    assert not received.fresh


def test_what_is_missing_is_made_of_the_record() -> None:
    received = read(headers={"ce_type": b"dataset.create.v1"})
    assert received.id == ulid.derive(AT, "trees.commands", "2", "7")
    assert received.stream == f"dataset/{ulid.derive(AT, received.id)}"
    assert received.fresh
    assert (received.time, received.now) == (AT, AT)
    assert (received.correlation, received.causation) == (received.id, None)
    assert (received.actor, received.tenant, received.expected) == ("kafka", "default", None)
    assert received.reply_to is None


def test_a_made_id_is_the_same_on_every_redelivery_and_another_for_another_record() -> None:
    headers = {"ce_type": b"dataset.create.v1"}
    first = read(headers=headers)
    assert read(headers=headers) == first
    assert read(headers=headers, offset=8).id != first.id
    assert read(headers=headers, at=AT + timedelta(milliseconds=1)).id != first.id


def test_an_empty_header_is_a_missing_one() -> None:
    headers = dict.fromkeys(["ce_id", "ce_subject", "ce_expectedversion", "ce_time"], b"")
    assert read(headers=headers | {"ce_type": b"dataset.create.v1"}).fresh


def test_the_key_is_the_subject_if_it_is_a_stream() -> None:
    headers = {"ce_type": b"dataset.delete.v1"}
    received = read(b"{}", headers, key=b"dataset/rain")
    assert (received.stream, received.command) == ("dataset/rain", Delete())
    assert dies(headers=headers, key=b"rain")[0] == "no-subject"
    assert dies(headers=headers, key=b"\xff/rain")[0] == "no-subject"
    assert dies(headers=headers, key=b"tree/rain")[0] == "no-subject"


def test_the_key_of_a_create_may_be_its_id() -> None:
    headers = {"ce_type": b"dataset.create.v1", "ce_id": b"dataset/7"}
    assert read(headers=headers, key=b"dataset/7").fresh
    assert read(headers=headers, key=b"dataset/8").stream == "dataset/8"


def test_a_ulid_of_a_kind_of_ulids_is_written_in_capitals() -> None:
    headers = {"ce_type": b"config.delete.v1", "ce_subject": b"config/01jd3v0m7p3m1v9b6q2wz1x5yk"}
    assert read(b"{}", headers).stream == "config/01JD3V0M7P3M1V9B6Q2WZ1X5YK"
    word, reason = dies(headers=headers | {"ce_subject": b"config/rain"})
    assert word == "wrong-subject"
    assert "ULID" in reason


def test_structured_mode_says_the_same() -> None:
    body = b'{"name": "rain"}'
    event = {
        "specversion": "1.0", "type": "dataset.create.v1", "id": "first-1", "source": "/test",
        "subject": "dataset/rain", "expectedversion": 0, "actor": "ann", "dataschema": None,
        "signature": sign(
            SECRET, id="first-1", actor="ann", type="dataset.create.v1", subject="dataset/rain",
            expected="0", body=body,
        ),
    }  # fmt: skip
    value = json.dumps(event)[:-1].encode() + b', "data": ' + body + b" }"
    headers = {"content-type": b"application/cloudevents+json; charset=utf-8", "reply-to": b"1"}
    received = read(value, headers)
    assert received.command == Create(fields={"name": "rain"})
    assert (received.id, received.actor, received.expected) == ("first-1", "ann", 0)
    assert (received.stream, received.reply_to) == ("dataset/rain", 1)
    binary = signed(CREATE | {"ce_expectedversion": b"0"}, body)
    assert received.fingerprint == read(body, binary).fingerprint


def test_without_a_right_signature_nobody_but_kafka_speaks() -> None:
    body = b'{"name":"rain"}'
    right = signed(CREATE | {"ce_actor": b"ann"}, body)
    assert read(body, right).actor == "ann"
    assert read(body, CREATE | {"ce_actor": b"ann", "ce_tenant": b"acme"}).actor == "kafka"
    assert read(b'{"name":"Rain"}', right).actor == "kafka"
    for name in CREATE:
        changed = right | {name: right[name].replace(b"t", b"tt")}
        reader = CommandReader(REGISTRY, secret=SECRET, require_signature=True)
        with pytest.raises(DeadLetter):
            reader.read(record(body, changed))


def test_where_signatures_are_required_the_unsigned_is_dead() -> None:
    reader = CommandReader(REGISTRY, secret=SECRET, require_signature=True)
    body = b'{"name":"rain"}'
    assert reader.read(record(body, signed(CREATE, body))).id == "first-1"
    for headers in (CREATE, CREATE | {"ce_signature": b"forged"}):
        with pytest.raises(DeadLetter) as caught:
            reader.read(record(body, headers))
        assert (caught.value.word, caught.value.status) == ("unsigned", 401)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (b"", "not-json"),
        (None, "not-json"),
        (b"{", "not-json"),
        (b'{"name":"rain"} {}', "not-json"),
        (b'{"name":"\xff"}', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"a":' * 100_000, "not-json"),
        (b"[1]", "not-an-object"),
        (b"null", "not-an-object"),
        (b'"text"', "not-an-object"),
        (b'{"name":"' + b"x" * LARGEST_BODY + b'"}', "too-large"),
    ],
)
def test_a_value_that_is_no_json_object_is_dead(value: bytes | None, word: str) -> None:
    assert dies(value, CREATE)[0] == word


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"x" * 129),
        ("ce_id", b"\xff"),
        ("ce_id", b"a\x00b"),
        ("ce_id", b"a\nb"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-11-21T13:00:00"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_expectedversion", b"-1"),
        ("ce_expectedversion", b"one"),
        ("ce_expectedversion", b"2147483648"),
        ("ce_expectedversion", b"9" * 5000),
        ("ce_correlationid", b"x" * 300),
        ("ce_specversion", b"0.3"),
        ("content-type", b"text/csv"),
        ("content-type", b"\xff"),
    ],
)
def test_a_header_of_the_wrong_shape_is_dead_and_named(name: str, value: bytes) -> None:
    word, reason = dies(b"{}", CREATE | {name: value})
    assert word == "wrong-headers"
    assert name in reason


@pytest.mark.parametrize(
    "subject",
    [
        b"rain",
        b"dataset/",
        b"dataset/.",
        b"dataset/..",
        b"dataset/a b",
        b"dataset/a/b",
        b"tree/1",
        b"config/1",
        b"\xff/1",
    ],
)
def test_a_subject_of_the_wrong_form_or_kind_is_dead(subject: bytes) -> None:
    assert dies(b"{}", CREATE | {"ce_subject": subject})[0] == "wrong-subject"


def test_an_unknown_type_is_dead_and_a_near_one_is_named() -> None:
    word, reason = dies(b"{}", {"ce_type": b"dataset.craete.v1"})
    assert (word, "dataset.create.v1" in reason) == ("unknown-type", True)
    assert dies(b"{}", {})[0] == "unknown-type"


def test_only_a_create_may_come_without_a_subject() -> None:
    assert dies(b"{}", {"ce_type": b"dataset.delete.v1"})[0] == "no-subject"


def test_what_was_sent_before_the_horizon_is_dead() -> None:
    before = AT - timedelta(seconds=1)
    assert READER.read(record(b"{}", CREATE), horizon=before).id == "first-1"
    with pytest.raises(DeadLetter) as caught:
        READER.read(record(b"{}", CREATE), horizon=AT + timedelta(seconds=1))
    assert caught.value.word == "too-old"


def test_a_body_that_does_not_fit_is_refused_with_every_fault() -> None:
    headers = CREATE | {"ce_type": b"dataset.measure.v1"}
    received = read(b'{"wher":"here","points":[1,"two"],"note":3}', headers)
    assert isinstance(received.command, Malformed)
    found = {error["path"]: error for error in received.command.errors}
    assert set(found) == {"wher", "where", "points.1", "note"}
    assert found["wher"]["suggestion"] == "where"
    assert found["where"]["type"] == "missing"
    assert "Expected `int`" in found["points.1"]["msg"]


@pytest.mark.parametrize(
    "other",
    [
        {"ce_subject": b"dataset/snow"},
        {"ce_type": b"dataset.replace.v1"},
        {"ce_expectedversion": b"1"},
    ],
)
def test_the_fingerprint_differs_when_something_else_is_said(other: dict[str, bytes]) -> None:
    mine = read(headers=CREATE).fingerprint
    assert len(mine) == 16
    assert read(headers=CREATE | other).fingerprint != mine
    assert read(b'{"name":"snow"}', CREATE).fingerprint != mine


def test_the_fingerprint_is_of_what_is_said_not_of_how_it_travels() -> None:
    travels = {"ce_id": b"second-1", "ce_time": b"2026-11-21T13:00:00Z", "reply-to": b"1"}
    assert read(headers=CREATE | travels).fingerprint == read(headers=CREATE).fingerprint


def test_a_create_without_a_subject_says_the_same_whenever_it_is_retried() -> None:
    headers = {"ce_type": b"dataset.create.v1", "ce_id": b"first-1"}
    late = read(headers=headers, at=AT + timedelta(hours=1), offset=9)
    assert late.fingerprint == read(headers=headers).fingerprint


def test_the_sender_of_a_dead_letter_can_be_answered_if_its_id_is_readable() -> None:
    to = address(record(b"{", CREATE | {"reply-to": b"3"}))
    assert (to.command, to.reply_to) == ("first-1", 3)
    assert address(record(b"{", {})).command == ulid.derive(AT, "trees.commands", "2", "7")
    assert address(record(b"{", {"ce_id": b"\xff"})).command is None
    assert address(record(b"{", {"reply-to": b"here"})).reply_to is None


JSONISH = st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b'"', b":", b",", b"type", b"data", b"id", b"1", b"\xff"]
    )
).map(b"".join)


@pytest.mark.parametrize("value", [b'{"type":"\xff","id":"a"}', b'{"\xff":1}', b'{"id":["\xff"]}'])
def test_a_structured_event_that_is_no_utf8_is_dead(value: bytes) -> None:
    assert dies(value, {"content-type": b"application/cloudevents+json"})[0] in (
        "not-json", "wrong-headers",
    )  # fmt: skip


@given(
    st.binary(max_size=200) | JSONISH,
    st.dictionaries(
        st.sampled_from([
            "ce_type", "ce_id", "ce_subject", "ce_time", "ce_expectedversion", "ce_specversion",
            "ce_signature", "reply-to", "content-type", "traceparent",
        ]),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([
                b"dataset.create.v1", b"config.tag.v1", b"dataset/rain", b"1.0", b"7",
                b"application/cloudevents+json", b"2026-11-21T13:00:00Z",
            ]),
        ),
    ),
    st.one_of(st.none(), st.binary(max_size=30)),
)  # fmt: skip
def test_whatever_comes_is_a_command_or_a_dead_letter_and_nothing_else(
    value: bytes, headers: dict[str, bytes], key: bytes | None
) -> None:
    record_ = record(value, headers, key=key)
    address(record_)
    try:
        received = READER.read(record_)
    except DeadLetter as error:
        reason = error.reason
    else:
        reason = ""
        assert 1 <= len(received.id) <= 128
        assert received.stream.startswith(("dataset/", "config/"))
    assert reason.isprintable()


def test_an_upcast_that_fails_makes_a_dead_letter_that_may_be_sent_again() -> None:
    class Renamed(Entity, kind="dataset", version=2):
        title: str

    @Renamed.upcast(1)
    def from_1(fields: Fields) -> Fields:
        return {"title": fields["nmae"]}

    with pytest.raises(DeadLetter) as caught:
        CommandReader(Registry([Renamed.decider()])).read(record(b'{"name":"rain"}', CREATE))
    assert (caught.value.word, caught.value.status) == ("upcast-failed", 422)
    assert "dataset.create.v1 can not be read as dataset.create.v2: KeyError" in str(caught.value)
