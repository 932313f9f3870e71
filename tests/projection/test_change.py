"""Changes of rows: what each does, what a batch of them comes to, and that the two agree."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from tests.projection.world import odds
from treering.errors import DeclarationError
from treering.projection import Change, Net, apply, increment, patch, put, remove
from treering.projection.change import Key, Row
from treering.projection.net import Edits

KEYS = [{"part": part, "number": number} for part in ("a", "b") for number in (1, 2)]


def longer(old: Sequence[Any] | None) -> Sequence[Any]:
    return [*(old or []), len(old or [])]


def flat(old: float | None) -> float:
    return 0.5 if old is None else old * 2


keys = st.sampled_from(KEYS)
texts = st.sampled_from([None, "x", "ü\n"])
numbers = st.integers(-3, 3)
values: dict[str, st.SearchStrategy[Any]] = {
    "amount": st.none() | numbers,
    "total": st.none() | st.just(1.25),
    "text": texts,
    "items": st.none() | st.just([{"n": None}]),
    "note": st.none() | st.just({"b": 1, "a": [1.5]}),
}
functions: dict[str, st.SearchStrategy[Any]] = {
    "items": st.just(longer),
    "total": st.just(flat),
    "text": st.just(str),
}
rows = st.fixed_dictionaries({}, optional=values)
edits = rows | st.fixed_dictionaries({}, optional=functions)
adds = st.dictionaries(st.sampled_from(["amount", "total"]), numbers, min_size=1)


def put_odd(key: Row, row: Row) -> Change:
    return put(odds, {**key, **row})


changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(put_odd, keys, rows),
    st.builds(patch, st.just(odds), keys, edits),
    st.builds(increment, st.just(odds), keys, adds),
    st.builds(remove, st.just(odds), keys),
)
batches = st.lists(changes, max_size=12)


def settled(net: Net, rows: dict[Key, Row]) -> dict[Key, Row]:
    """Return *rows* after *net*."""
    found = {**rows}
    for key, fate in net.tables.get(odds, {}).items():
        row = fate.of(rows.get(key)) if isinstance(fate, Edits) else fate
        found.pop(key, None)
        if row is not None:
            found[key] = row
    return found


@given(batches, batches)
def test_what_a_batch_comes_to_is_what_its_changes_do_one_by_one(
    before: list[Change], batch: list[Change]
) -> None:
    rows = apply(before, {}).get("odds", {})
    assert settled(Net(batch), rows) == apply(batch, {"odds": rows})["odds"]


@given(batches, batches)
def test_two_batches_come_to_what_they_do_together(
    first: list[Change], second: list[Change]
) -> None:
    together = settled(Net([*first, *second]), {})
    assert settled(Net(second), settled(Net(first), {})) == together


ONE: list[Change] = [
    put(odds, {**KEYS[0], "total": 2.0}),
    patch(odds, KEYS[0], {"total": 3.0, "text": "x"}),
    patch(odds, KEYS[0], {"total": flat}),
    increment(odds, KEYS[0], {"total": 1.0, "amount": 1}),
    remove(odds, KEYS[0]),
]


@pytest.mark.parametrize("before", [[], [put(odds, {**KEYS[0], "amount": 5})]], ids=["none", "one"])
def test_a_batch_comes_to_that_whatever_follows_on_what(before: list[Change]) -> None:
    there = apply(before, {"odds": {}})["odds"]
    for batch in product(ONE, repeat=4):
        assert settled(Net(batch), there) == apply(batch, {"odds": there})["odds"], batch


def test_a_patch_of_a_row_that_is_not_there_does_nothing() -> None:
    assert apply([patch(odds, KEYS[0], {"text": "x"})], {"odds": {}}) == {"odds": {}}


def test_an_increment_of_a_row_that_is_not_there_makes_it() -> None:
    assert apply([increment(odds, KEYS[0], {"amount": 2})], {})["odds"] == {
        ("a", 1): {
            "part": "a",
            "number": 1,
            "amount": 2,
            "total": None,
            "text": None,
            "items": None,
            "note": None,
        }
    }


def test_a_put_forgets_what_stood_there() -> None:
    found = apply([put(odds, {**KEYS[0], "text": "x"}), put(odds, {**KEYS[0], "amount": 1})], {})
    assert found["odds"]["a", 1]["text"] is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: put(odds, {"part": "a"}), "lacks 'number'"),
        (lambda: remove(odds, "a"), "say all of it"),
        (lambda: patch(odds, KEYS[0], {"nam": 1}), "no column 'nam'"),
        (lambda: put(odds, {**KEYS[0], "nam": 1}), "no column 'nam'"),
        (lambda: patch(odds, KEYS[0], {"part": "b"}), "a key never changes"),
    ],
)
def test_a_change_that_fits_no_row_says_why(change: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        Net([change()])


def test_changes_are_taken_all_or_none() -> None:
    net = Net([put(odds, {**KEYS[0], "items": None})])
    with pytest.raises(TypeError):
        net.add([put(odds, {**KEYS[1]}), patch(odds, KEYS[0], {"items": len})])
    assert settled(net, {}) == settled(Net([put(odds, {**KEYS[0], "items": None})]), {})


def test_a_row_without_what_it_needs_is_refused_before_a_database_does() -> None:
    strict = Table(
        "strict",
        MetaData(),
        Column("id", Text, primary_key=True),
        Column("label", Text, nullable=False),
        Column("amount", BigInteger),
    )
    with pytest.raises(DeclarationError, match=r"strict\.label is never empty"):
        apply([increment(strict, "a", {"amount": 1})], {})
    changes = [put(strict, {"id": "a", "label": "x"}), increment(strict, "a", {"amount": 1})]
    assert apply(changes, {})["strict"]["a",] == {"id": "a", "label": "x", "amount": 1}
