"""Outcomes as records."""

import msgspec

from treering.bus.outcomes import LARGEST_ENTITY, OutcomeWriter, decode, value
from treering.bus.partitions import partition_of
from treering.message import Change, Outcome

WRITER = OutcomeWriter("trees", 4)
ACCEPTED = Outcome(
    command="c-1", outcome="accepted", stream="dataset/rain", version=1, positions=(1, 1),
    entity={"id": "rain"},
)  # fmt: skip


def test_an_outcome_says_what_it_is_about() -> None:
    record = WRITER.record(ACCEPTED, b"\x01" * 16, 3)
    headers = dict(record.headers)
    assert (record.key, record.partition) == (b"c-1", 3)
    assert headers["ce_type"] == b"outcome.v1"
    assert headers["ce_subject"] == b"dataset/rain"
    assert headers["ce_causationid"] == b"c-1"
    assert headers["ce_source"] == b"/trees"
    assert msgspec.json.decode(record.value) == {
        "command": "c-1", "outcome": "accepted", "stream": "dataset/rain", "version": 1,
        "positions": [1, 1], "entity": {"id": "rain"},
    }  # fmt: skip


def test_a_refusal_names_what_was_asked_about() -> None:
    refused = Outcome(command="c-1", outcome="refused")
    assert "ce_subject" not in dict(WRITER.record(refused, b"", 0).headers)
    record = WRITER.record(refused, b"", 0, subject="dataset/rain")
    assert dict(record.headers)["ce_subject"] == b"dataset/rain"


def test_an_outcome_without_a_right_address_goes_where_its_command_belongs() -> None:
    here = partition_of("c-1", 4)
    assert WRITER.record(ACCEPTED, b"", None).partition == here
    assert WRITER.record(ACCEPTED, b"", 4).partition == here


def test_two_bodies_under_one_id_have_two_outcomes() -> None:
    mine, other = (dict(WRITER.record(ACCEPTED, said, 0).headers) for said in (b"1", b"2"))
    assert mine["ce_id"] != other["ce_id"]
    assert mine == dict(WRITER.record(ACCEPTED, b"1", 0).headers)


def test_the_answer_to_a_dead_letter_is_another_than_its_later_outcome() -> None:
    dead = Outcome(command="c-1", outcome="refused", dead=True)
    later = Outcome(command="c-1", outcome="refused")
    one, other = (dict(WRITER.record(each, b"1", 0).headers)["ce_id"] for each in (dead, later))
    assert one != other


def test_a_large_entity_is_left_out() -> None:
    fits = {"text": "x" * (LARGEST_ENTITY - 11)}
    large = {"text": "x" * LARGEST_ENTITY}
    assert decode(value(msgspec.structs.replace(ACCEPTED, entity=fits))).entity == fits
    short = decode(value(msgspec.structs.replace(ACCEPTED, entity=large)))
    assert (short.entity, short.version) == (None, 1)


def test_an_outcome_always_fits_into_a_record() -> None:
    errors = [{"path": f"f{n}", "type": "wrong", "msg": "y" * 2000} for n in range(2000)]
    problem = {"type": "t", "title": "T", "status": 422, "detail": "x" * 2000, "errors": errors}
    refused = Outcome(command="c-1", outcome="refused", problem=problem)
    written = value(refused)
    assert len(written) < 900_000
    told = decode(written).problem
    assert told
    assert (told["type"], told["status"]) == ("t", 422)
    assert [error["path"] for error in told["errors"]] == [f"f{n}" for n in range(100)]
    many = [Change(stream=f"dataset/{n:0128}", version=1) for n in range(9000)]
    accepted = decode(value(msgspec.structs.replace(ACCEPTED, changes=many)))
    assert (accepted.positions, accepted.changes) == ((1, 1), ())
