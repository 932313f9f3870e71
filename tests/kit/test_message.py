"""Messages: frozen, named by their type, read and written as JSON."""

import msgspec
import pytest

from treering.message import (
    Command,
    Event,
    Outcome,
    id_of,
    kind_of,
    message_type,
)  # fmt: skip


class Start(Command, type="run.start.v1"):
    model: str
    steps: int = 1


class Started(Event, type="run.started.v1"):
    model: str


class Forgotten(Event, type="run.forgotten.v1", erases=True):
    pass


def test_a_type_belongs_to_the_class() -> None:
    assert (Start.message_type, Start.erases, Forgotten.erases) == ("run.start.v1", False, True)
    assert Start.__struct_fields__ == ("model", "steps")


def test_messages_are_frozen_and_keyword_only() -> None:
    start = Start(model="lag")
    with pytest.raises(AttributeError):
        start.model = "lead"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        Start("lag")  # pyright: ignore[reportCallIssue]


def test_a_type_reads_what_it_writes() -> None:
    kind = message_type(Start)
    assert kind.name == "run.start.v1"
    assert kind.encode(Start(model="lag")) == b'{"model":"lag","steps":1}'
    assert kind.decode(b'{"model":"lag"}') == Start(model="lag")
    assert kind.schema()["$defs"]["Start"]["required"] == ["model"]


def test_a_command_takes_no_unknown_fields_and_an_event_does() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        message_type(Start).decode('{"model":"lag","stepz":1}')
    assert message_type(Started).decode('{"model":"lag","stepz":1}') == Started(model="lag")


def test_a_stream_is_a_kind_and_an_id() -> None:
    assert (kind_of("lag-model/a/b"), id_of("lag-model/a/b")) == ("lag-model", "a/b")


def test_an_outcome_leaves_out_what_is_not_there() -> None:
    refused = Outcome(command="c", outcome="refused", problem={"status": 409})
    assert msgspec.json.encode(refused) == (
        b'{"command":"c","outcome":"refused","problem":{"status":409}}'
    )
