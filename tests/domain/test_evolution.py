"""An entity over its releases: what each of them makes of what the others have written."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st
from pydantic import Field, computed_field

from tests.domain.versions import First, Fourth, Second, Third
from treering.entity import (
    Create,
    Created,
    Entity,
    EntityState,
    Fields,
    Patch,
    Replace,
    Replaced,
    Tag,
    Tagged,
    Update,
    Updated,
)  # fmt: skip
from treering.errors import DeclarationError, InvalidBody, UnknownMessage, UpcastFailed
from treering.message import Stored
from treering.registry import Registry
from treering.testing import of
from treering.testing.given import NOON

type Releases = type[First | Second | Third | Fourth]

ADA: Fields = {"tags": [], "name": "Ada Lovelace", "age": 36}
NEWER = of(First)(Created(fields={**ADA, "unit": "years"}))
"""An entity that a newer release has written, in the hands of an older one."""


def stored(type_: str, body: Any, position: int = 1) -> Stored:
    """Return an event as its row says it."""
    return Stored(
        position=position,
        stream="person/1",
        version=position,
        id=str(position),
        type=type_,
        body=msgspec.json.encode(body).decode(),
        time=NOON,
        recorded_at=NOON,
        tenant="default",
        actor="test",
        correlation="",
        causation="",
        traceparent=None,
    )


def read(entity: type[Entity], *written: tuple[str, Fields]) -> EntityState:
    """Return the state that this release folds from what was *written*."""
    decider = entity.decider()
    registry = Registry([decider])
    rows = [stored(type_, body, place) for place, (type_, body) in enumerate(written, 1)]
    return decider.fold(decider.initial, [registry.recorded(row) for row in rows])


def test_an_older_release_changes_what_it_knows_and_leaves_the_rest() -> None:
    NEWER.when(Update(fields={"age": 37})).then(Updated(fields={"age": 37}))
    NEWER.when(Patch(fields={"age": 37})).then(Updated(fields={"age": 37}))
    NEWER.when(Tag(tags=["a"])).then(Tagged(tags=["a"]))


def test_an_older_release_replaces_what_it_knows_and_keeps_the_rest() -> None:
    kept: Fields = {"unit": "years", "tags": [], "name": "Ada", "age": 0}
    NEWER.when(Replace(fields={"name": "Ada"})).then(Replaced(fields=kept))
    NEWER.when(Replace(fields=ADA)).nothing()


def test_an_older_release_refuses_a_field_that_it_does_not_know() -> None:
    NEWER.when(Update(fields={"unit": "days"})).refuses(InvalidBody, "unit")


def test_what_was_written_before_a_field_was_added_has_its_default() -> None:
    assert read(Second, ("person.created.v1", ADA)).fields == {**ADA, "unit": "years"}
    assert read(Second, ("person.replaced.v1", ADA)).fields["unit"] == "years"


def test_a_default_that_is_new_each_time_is_not_made_up_for_what_was_written_before() -> None:
    numbers = iter(range(100))

    class Counted(Entity, kind="person"):
        name: str
        age: int = 0
        number: int = Field(default_factory=lambda: next(numbers))

    assert "number" not in read(Counted, ("person.created.v1", ADA)).fields


def test_a_default_of_the_day_is_not_made_up_either() -> None:
    class Dated(Entity, kind="person"):
        name: str
        age: int = 0
        since: date = Field(default_factory=date.today)
        born: datetime = datetime(1815, 12, 10, tzinfo=UTC)
        friends: list[str] = Field(default_factory=list)

        @computed_field
        @property
        def initial(self) -> str:
            """It needs a field that has no default."""
            return self.name[0]

    fields = read(Dated, ("person.created.v1", ADA)).fields
    assert fields == {**ADA, "born": "1815-12-10T00:00:00.000000Z", "friends": []}


def test_what_is_missing_is_made_anew_for_each_message() -> None:
    class Liked(Entity, kind="person", version=2):
        name: str
        age: int = 0
        likes: list[str]

    @Liked.upcast(1, missing={"likes": []})
    def from_1(fields: Fields) -> Fields:
        fields["likes"].append(fields["name"])
        return fields

    assert read(Liked, ("person.created.v1", ADA)).fields["likes"] == ["Ada Lovelace"]
    twice = read(Liked, ("person.created.v1", ADA), ("person.replaced.v1", ADA))
    assert twice.fields["likes"] == ["Ada Lovelace"]


def test_a_stored_value_that_no_longer_fits_is_named_as_such() -> None:
    class Strict(Entity, kind="person"):
        name: str = Field(max_length=3)
        age: int = 0

    live = of(Strict)(Created(fields=ADA))
    refusal = live.when(Update(fields={"age": 37})).refuses(InvalidBody, "name")
    assert "so it is stored: send another value" in refusal.detail
    live.when(Update(fields={"age": 37, "name": "Ada"})).then(
        Updated(fields={"age": 37, "name": "Ada"})
    )


def test_an_entity_whose_stored_value_no_longer_fits_is_tagged_all_the_same() -> None:
    class Strict(Entity, kind="person"):
        name: str = Field(max_length=3)
        age: int = 0

    live = of(Strict)(Created(fields=ADA))
    live.when(Tag(tags=["old"])).then(Tagged(tags=["old"]))
    assert "name" not in live.when(Tag(tags=["a b"])).refuses(InvalidBody, "tags.0").detail


def test_a_field_that_was_renamed_is_read_under_its_new_name() -> None:
    state = read(Third, ("person.created.v1", ADA), ("person.updated.v1", {"name": "Countess"}))
    assert state.fields == {"tags": [], "title": "Countess", "age": 36, "unit": "years"}


def test_an_older_release_stops_at_what_a_newer_version_has_written() -> None:
    with pytest.raises(UnknownMessage, match="older than the log"):
        read(Second, ("person.created.v2", {"title": "Ada"}))


def test_an_upcast_that_fails_says_of_what() -> None:
    with pytest.raises(UpcastFailed, match=r"person\.created\.v2 can not be read as"):
        read(Fourth, ("person.created.v2", {"title": 3}))


def test_every_version_before_has_an_upcast() -> None:
    class Lost(Entity, version=3):
        name: str

    @Lost.upcast(1)
    def from_1(fields: Fields) -> Fields:
        return fields

    with pytest.raises(DeclarationError, match="how its version 2 is read"):
        Lost.decider()
    with pytest.raises(DeclarationError, match="two upcasts read version 1"):
        Lost.upcast(1)(from_1)


def test_an_upcast_of_no_version_before_is_refused() -> None:
    class Hasty(Entity):
        name: str

    @Hasty.upcast(1)
    def from_1(fields: Fields) -> Fields:
        return fields

    assert from_1({}) == {}
    with pytest.raises(DeclarationError, match=r"say `version=2` in its class line"):
        Hasty.decider()


def test_a_version_is_a_number_from_1() -> None:
    with pytest.raises(DeclarationError, match="version"):
        type("Zeroth", (Entity,), {}, version=0)


def test_commands_of_an_older_version_are_read_as_todays() -> None:
    registry = Registry([Fourth.decider()])
    create = registry.command("person.create.v1")
    assert create is not None
    assert registry.creates(create)
    said = create.decode(b'{"id": "1", "name": "Ada Lovelace", "age": 36}')
    assert said == Create(fields={"id": "1", "given": "Ada", "family": "Lovelace", "role": "guest"})
    update = registry.command("person.update.v2")
    assert update is not None
    assert not registry.creates(update)
    assert update.decode(b'{"title": "Ada"}') == Update(fields={"given": "Ada", "family": None})


NAMES = st.sampled_from(["Ada", "Ada Lovelace", "Charles Babbage", "Mary Fairfax Somerville"])
FIELDS: dict[Releases, dict[str, st.SearchStrategy[Any]]] = {
    First: {"name": NAMES, "age": st.integers(0, 9)},
    Second: {"name": NAMES, "age": st.integers(0, 9), "unit": st.sampled_from(["years", "days"])},
    Third: {"title": NAMES, "age": st.integers(0, 9), "unit": st.sampled_from(["years", "days"])},
    Fourth: {
        "given": NAMES,
        "family": st.none() | NAMES,
        "unit": st.sampled_from(["years", "days"]),
        "role": st.sampled_from(["guest", "host"]),
    },
}
RELEASES = st.sampled_from([First, Second, Third, Fourth])
WHOLE = RELEASES.flatmap(lambda release: st.tuples(st.just(release), fields_of(release)))
SOME = RELEASES.flatmap(
    lambda release: st.tuples(st.just(release), st.fixed_dictionaries({}, optional=FIELDS[release]))
)
HISTORIES = st.tuples(
    WHOLE.map(lambda said: (Created, said)),
    st.lists(
        st.one_of(SOME.map(lambda said: (Updated, said)), WHOLE.map(lambda said: (Replaced, said))),
        max_size=20,
    ),
).map(lambda both: [both[0], *both[1]])


def fields_of(release: Releases) -> st.SearchStrategy[Fields]:
    return st.fixed_dictionaries({**FIELDS[release], "tags": st.just([])})


def by_hand(release: Releases, fields: Fields, *, whole: bool) -> Fields:
    """Return what *release* said, in the words of the newest."""
    if release is Fourth:
        return fields
    said: Fields = {"tags": []} if whole else {}
    if name := fields.get("title", fields.get("name")):
        first, blank, last = name.rpartition(" ")
        said["given"], said["family"] = (first, last) if blank else (last, None)
    if "unit" in fields:
        said["unit"] = fields["unit"]
    return {"unit": "years", "role": "guest", **said} if whole else said


@given_any(HISTORIES)
def test_a_history_of_all_releases_reads_as_if_the_newest_had_written_it(
    history: list[tuple[type[Created | Updated | Replaced], tuple[Releases, Fields]]],
) -> None:
    written: list[tuple[str, Fields]] = []
    expected: Fields = {}
    for event, (release, fields) in history:
        kind = Registry([release.decider()]).type_of("person/1", event(fields=fields))
        written.append((kind.name, msgspec.json.decode(kind.encode(event(fields=fields)))))
        said = by_hand(release, fields, whole=event is not Updated)
        expected = {**expected, **said} if event is Updated else said
    assert read(Fourth, *written).fields == expected


def test_another_version_has_other_rules() -> None:
    class Named(Entity, unique={"name"}, references={"friend": "person"}):
        name: str
        friend: str | None = None

    class Again(Entity, kind="named", version=2, unique={"name"}):
        name: str

    @Again.upcast(1)
    def from_1(fields: Fields) -> Fields:
        return {**fields, "name": fields["name"].lower()}

    assert from_1({"name": "A"}) == {"name": "a"}
    assert sorted(Named.decider().rules) == ["references person in friend", "unique name"]
    assert Again.decider().rules == ["unique name v2"]
