"""Lives of parcels: commands drawn at random, and the events that follow from them."""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.projection.world import NOW, REGISTRY, Parcel
from treering.decider import decided
from treering.entity import (
    Create,
    Delete,
    Purge,
    Replace,
    Restore,
    Tag,
    Untag,
    Update,
    stamp,
)  # fmt: skip
from treering.errors import Refusal
from treering.message import Command, Event, Received, Recorded, Stream
from treering.testing.given import record

_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
_float = st.floats(allow_nan=False, allow_infinity=False)
_big = st.integers(-(10**30), 10**30)
_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _big | _float | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_moment = st.datetimes(timezones=st.just(UTC)).map(stamp)
_fields = st.fixed_dictionaries(
    {"name": _text},
    optional={
        "weight": st.none() | _float,
        "pieces": st.integers(-(2**63), 2**63 - 1),
        "sent": st.none() | _moment,
        "due": st.none() | st.dates().map(str),
        "contents": st.dictionaries(_text, _json, max_size=3),
        "is_open": st.booleans(),
        "tags": st.lists(st.sampled_from("abc"), unique=True),
    },
)
_tags = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3)

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Create, fields=_fields),
    st.builds(Update, fields=_fields),
    st.builds(Replace, fields=_fields),
    st.builds(Tag, tags=_tags),
    st.builds(Untag, tags=_tags),
    st.just(Delete()),
    st.just(Restore()),
    st.just(Purge()),
)


def told(stream: Stream, said: Iterable[Command]) -> list[Recorded[Any]]:
    """Return the events that follow when *said* is said of *stream*; what is refused is nothing."""
    decider = Parcel.decider()
    events: list[Event] = []
    state = decider.initial
    for command in said:
        received = Received(
            id="c", type="any", stream=stream, command=command, now=NOW, time=NOW, correlation="c"
        )
        found = decided(decider, {stream: state}, received)
        if isinstance(found, Refusal):
            continue
        events += found.get(stream, [])
        state = decider.fold(decider.initial, record(REGISTRY, stream, events))
    return record(REGISTRY, stream, events, start=NOW + timedelta(microseconds=1))
