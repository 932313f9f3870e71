"""An index tells exactly those whom a look at every wish would tell; memory has what is newest."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import Refusal
from treering.gateway.live.board import Board
from treering.gateway.live.memory import Memory
from treering.gateway.live.told import SHAPE, WORDS, Told
from treering.gateway.live.wish import Wish, wish_for
from treering.message import Stored
from treering.query import Parsing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONDITIONS: Sequence[tuple[str, str]] = [
    ("kind", "tank"), ("kind[in]", "tank,well"), ("kind[ne]", "tank"), ("subject", "tank/0"),
    ("data.x", "1"), ("data.x", "true"), ("data.x", "a"), ("data.x[in]", "1,a,null"),
    ("data.x[is_null]", "true"), ("data.x[gte]", "1"), ("data.x[gt]", "1"), ("data.x[lt]", "2"),
    ("data.x[lte]", "1"), ("data.x[between]", "1,2"), ("data.x[gte]", "a"), ("data.x[lt]", "b"),
    ("data.y[gte]", "1"), ("version[gte]", "1"), ("data", '{"x":1}'), ("version", "1"),
    ("filter", '{"data.x":1}'), ("filter", '{"or":[{"data.x":1},{"kind":"well"}]}'),
    ("filter", '{"and":[{"data.x":"a"}]}'), ("filter", '{"not":{"data.x":1}}'),
    ("filter", '{"kind[in]":[]}'), ("filter", '{"data.x":[1]}'), ("filter", '{"data.x":null}'),
]  # fmt: skip
DATA: Sequence[Any] = [
    {}, {"x": 1}, {"x": 1.0}, {"x": True}, {"x": "a"}, {"x": "1"}, {"x": None}, {"x": [1]},
    {"x": {"y": 1}}, {"x": 2}, {"x": 0}, {"x": "b"}, {"y": 5},
]  # fmt: skip


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def tell(self, told: Told) -> None:
        self.told.append(told.position)

    def finish(self, why: Refusal) -> None:
        raise AssertionError(why)


def stored(position: int, subject: str, data: Any) -> Stored:
    return Stored(
        position=position,
        stream=subject,
        version=1,
        id=f"e{position}",
        type="tank.filled.v1",
        body=msgspec.json.encode(data).decode(),
        time=NOW,
        recorded_at=NOW,
        tenant="default",
        actor="a",
        correlation="c",
        causation="c",
        traceparent=None,
    )


EVENTS = [
    Told(stored(place, subject, data), "e")
    for place, (subject, data) in enumerate(
        (subject, data) for subject in ("tank/0", "tank/1", "well/0") for data in DATA
    )
]


def wish(spelled: Sequence[tuple[str, str]]) -> Wish:
    parsing = Parsing(SHAPE, parts=("filter",))
    for name, text in dict(spelled).items():
        parsing.parse(name, text)
    assert parsing.faults() == []
    return wish_for(parsing.filters, WORDS)


@given(
    asked=st.lists(st.lists(st.sampled_from(CONDITIONS), max_size=3), max_size=6),
    leaving=st.sets(st.integers(0, 5)),
)
def test_everybody_is_told_exactly_what_it_wants(
    asked: Sequence[Sequence[tuple[str, str]]], leaving: set[int]
) -> None:
    board = Board(WORDS)
    wishes = [wish(each) for each in asked]
    listeners = [Listener() for _ in wishes]
    for each, listener in zip(wishes, listeners, strict=True):
        board.add(each, listener)
    for number in leaving & {*range(len(wishes))}:
        board.remove(wishes[number], listeners[number])
    for told in EVENTS:
        board.tell(told)
    for number, (each, listener) in enumerate(zip(wishes, listeners, strict=True)):
        wanted = [told.position for told in EVENTS if each.matches(told.row)]
        assert listener.told == ([] if number in leaving else wanted)


@given(asked=st.lists(st.lists(st.sampled_from(CONDITIONS), max_size=3), max_size=6))
def test_a_board_that_all_have_left_holds_nothing(
    asked: Sequence[Sequence[tuple[str, str]]],
) -> None:
    board = Board(WORDS)
    wishes = [(wish(each), Listener()) for each in asked]
    for each, listener in wishes:
        board.add(each, listener)
    for each, listener in wishes:
        board.remove(each, listener)
    assert board.size == 0


@pytest.mark.parametrize(
    ("spelled", "field"),
    [
        ({"kind": "tank", "data.x": "1"}, "data.x"),
        ({"kind": "tank", "type[in]": "tank.filled.v1,tank.emptied.v1"}, "type"),
        ({"kind": "tank", "subject": "tank/0", "data.x": "1"}, "subject"),
        ({"type": "tank.filled.v1", "data.x[gte]": "1"}, "data.x"),
        ({"kind": "tank", "data.x[ne]": "1"}, "kind"),
        ({"data.x[ne]": "1", "version[gte]": "1"}, None),
    ],
)
def test_a_wish_is_found_by_what_leaves_the_fewest(
    spelled: Mapping[str, str], field: str | None
) -> None:
    place = wish([*spelled.items()]).place
    assert (place and place.field) == field


def test_memory_keeps_the_newest_and_says_what_it_has_no_more() -> None:
    memory = Memory(100, 5_100)
    for position in range(101, 121):
        memory.add(Told(stored(position, "tank/0", {}), "e"))
    assert memory.position == 120
    assert memory.floor == 110
    assert memory.since(109) is None
    assert [each.position for each in memory.since(110) or ()] == [*range(111, 121)]
    assert memory.since(120) == []
    assert memory.since(130) == []


def test_memory_forgets_what_was_erased() -> None:
    memory = Memory(0, 10_000)
    for position, subject in ((1, "tank/0"), (2, "tank/1"), (3, "tank/0")):
        memory.add(Told(stored(position, subject, {"x": 1}), "e"))
    memory.erase("tank/0")
    assert [each.row["data"] for each in memory.since(0) or ()] == [None, {"x": 1}, None]


def test_an_event_is_one_line_whatever_its_body_is() -> None:
    told = Told(msgspec.structs.replace(stored(7, "tank/0", {}), body='{\n "x":\r\n 1}'), "e")
    assert told.sent.startswith(b"id: e:7\ndata: ")
    assert told.sent.count(b"\n") == 3
    assert b'"data":{  "x":   1}' in told.json
