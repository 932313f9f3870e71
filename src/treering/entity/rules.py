"""The rules that all entities share: one decider, made from a declaration."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, assert_never, cast

import msgspec
from pydantic import BaseModel

from treering.decider import Representation
from treering.entity.messages import (
    Create,
    Created,
    Delete,
    Deleted,
    Fields,
    Patch,
    Purge,
    Purged,
    Replace,
    Replaced,
    Restore,
    Restored,
    Tag,
    Tagged,
    Untag,
    Untagged,
    Update,
    Updated,
)  # fmt: skip
from treering.entity.validation import fault, invalid, stamp, validated
from treering.errors import AlreadyExists, InvalidBody, IsDeleted, IsPurged, NotFound
from treering.message import EPOCH, Event, Received, Recorded, Stream, id_of

_encode = msgspec.json.Encoder(order="deterministic").encode

type Status = Literal["absent", "live", "deleted", "purged"]
type Extra = Mapping[type[Any], Callable[[EntityState, Received[Any]], Sequence[Event]]]


type Check = Callable[[EntityState, EntityState, Received[Any]], None]
"""Raises a Refusal unless an entity may go from the one state to the other by the command."""


class EntityState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one entity."""

    status: Status = "absent"
    fields: Fields = {}
    created_at: datetime = EPOCH
    updated_at: datetime = EPOCH


class Rules:
    """Decide for the entities of one *model*.

    *extra* holds its further commands; those among *creating* make a new entity.
    """

    def __init__(
        self,
        model: type[BaseModel],
        extra: Extra,
        creating: Collection[type[Any]] = (),
        checks: Sequence[Check] = (),
    ) -> None:
        self._model = model
        self._extra = extra
        self._creating = creating
        self._checks = checks
        self._names = frozenset(model.model_fields)

    def decide(self, state: EntityState, received: Received[Any]) -> Sequence[Event]:
        """Return what follows from the command; see `treering.decider.Decider`."""
        events = self._decided(state, received)
        if events and self._checks and not isinstance(received.command, Purge):
            after = _after(state, received, events)
            for check in self._checks:
                check(state, after, received)
        return events

    def _decided(self, state: EntityState, received: Received[Any]) -> Sequence[Event]:
        command = received.command
        if isinstance(command, Create):
            return self._create(state, received.stream, command.fields)
        if type(command) in self._creating:
            return self._made(state, received)
        _require(state, received.stream, deleted=isinstance(command, Delete | Restore | Purge))
        if (further := self._extra.get(cast("type[Any]", type(command)))) is not None:
            return [self._checked(state, event) for event in further(state, received)]
        return self._change(state, command)

    def _made(self, state: EntityState, received: Received[Any]) -> Sequence[Event]:
        """Return what a further command makes; a new entity's fields are as the model's."""
        _require_absent(state, received.stream)
        return [
            Created(fields=validated(self._model, event.fields))
            if isinstance(event, Created)
            else event
            for event in self._extra[type(received.command)](state, received)
        ]

    def _create(self, state: EntityState, stream: Stream, fields: Fields) -> Sequence[Event]:
        _require_absent(state, stream)
        if "id" in fields:
            fields = {**fields}
            said = fields.pop("id")
            if said != id_of(stream):
                raise invalid([fault(("id",), "id_mismatch", f"The subject is {stream}", said)])
        return [Created(fields=validated(self._model, fields))]

    def _change(
        self, state: EntityState,
        command: Update | Patch | Replace | Delete | Restore | Purge | Tag | Untag,
    ) -> Sequence[Event]:  # fmt: skip
        match command:
            case Update(fields=fields):
                return self._updated(state, {**state.fields, **fields}, given=fields)
            case Patch(fields=fields):
                return self._updated(state, _merged(state.fields, fields), given=fields)
            case Replace(fields=fields):
                return self._replaced(state, fields)
            case Delete():
                return [Deleted()] if state.status == "live" else []
            case Restore():
                return [Restored()] if state.status == "deleted" else []
            case Purge():
                return [Purged()] if state.status != "purged" else []
            case Tag(tags=tags):
                added = [tag for tag in dict.fromkeys(tags) if tag not in state.fields["tags"]]
                given = {"tags": [*state.fields["tags"], *added]}
                self._require_fits(state, given)
                return [Tagged(tags=added)] if added else []
            case Untag(tags=tags):
                gone = [tag for tag in dict.fromkeys(tags) if tag in state.fields["tags"]]
                return [Untagged(tags=gone)] if gone else []
            case _:
                assert_never(command)

    def _replaced(self, state: EntityState, fields: Fields) -> Sequence[Event]:
        """Set all fields that this release knows; a newer one's stay as they are."""
        kept = {name: value for name, value in state.fields.items() if name not in self._names}
        new = kept | validated(self._model, fields)
        return [] if _same(new, state.fields) else [Replaced(fields=new)]

    def _updated(self, state: EntityState, fields: Fields, given: Fields) -> Sequence[Event]:
        old = state.fields
        new = self._validated(fields, given)
        changed = {
            name: value
            for name, value in new.items()
            if (name in old or name in given) and (name not in old or not _same(value, old[name]))
        }
        return [Updated(fields=changed)] if changed else []

    def _validated(self, fields: Fields, given: Fields) -> Fields:
        """Return an entity's *fields* as the model understands them; *given* was just said.

        What only a newer release knows is left out.
        """
        if not fields.keys() <= self._names:
            known = self._names | given.keys()
            fields = {name: value for name, value in fields.items() if name in known}
        try:
            return validated(self._model, fields)
        except InvalidBody as refusal:
            raise _of_stored(refusal, fields.keys() - given.keys()) from refusal

    def _require_fits(self, state: EntityState, given: Fields) -> None:
        """Raise InvalidBody unless what is *given* fits; what is stored may not any more."""
        try:
            self._validated({**state.fields, **given}, given)
        except InvalidBody as refusal:
            faults: list[dict[str, Any]] = refusal.members["errors"]
            whole = [] if self._is_broken(state) else [each for each in faults if not each["loc"]]
            if own := [*(e for e in faults if e["loc"] and e["loc"][0] in given), *whole]:
                raise invalid(own) from refusal

    def _is_broken(self, state: EntityState) -> bool:
        """Say whether what is stored fits no more, whatever is said."""
        try:
            self._validated(state.fields, {})
        except InvalidBody:
            return True
        return False

    def _checked(self, state: EntityState, event: Event) -> Event:
        """Return an event that a further command's rules have made, its fields as the model's."""
        if isinstance(event, Updated):
            new = self._validated({**state.fields, **event.fields}, event.fields)
            return Updated(fields={name: new[name] for name in event.fields})
        return event


def evolve(state: EntityState, recorded: Recorded[Any]) -> EntityState:
    """Return the state after one event."""
    event, at = recorded.event, recorded.recorded_at
    match event:
        case Created(fields=fields):
            return EntityState(status="live", fields=fields, created_at=at, updated_at=at)
        case Updated(fields=fields):
            return _now(state, at, fields={**state.fields, **fields})
        case Replaced(fields=fields):
            return _now(state, at, fields=fields)
        case Tagged(tags=tags):
            return _now(state, at, fields={**state.fields, "tags": [*state.fields["tags"], *tags]})
        case Untagged(tags=tags):
            left = [tag for tag in state.fields["tags"] if tag not in tags]
            return _now(state, at, fields={**state.fields, "tags": left})
        case Deleted():
            return _now(state, at, status="deleted")
        case Restored():
            return _now(state, at, status="live")
        case Purged():
            return EntityState(status="purged", created_at=state.created_at, updated_at=at)
        case _:
            return state


def _after(state: EntityState, received: Received[Any], events: Sequence[Event]) -> EntityState:
    """Return the state that *events* will make."""
    for event in events:
        recorded = Recorded(
            position=0,
            stream=received.stream,
            version=0,
            id="",
            type="",
            event=event,
            time=received.time,
            recorded_at=received.now,
        )
        state = evolve(state, recorded)
    return state


def represent(stream: Stream, state: EntityState) -> Representation | None:
    """Return the entity as clients see it; None if there is nothing to see."""
    if state.status in ("absent", "purged"):
        return None
    shown: Representation = {
        "id": id_of(stream),
        "created_at": stamp(state.created_at),
        "updated_at": stamp(state.updated_at),
    }
    if state.status == "deleted":
        shown["deleted_at"] = stamp(state.updated_at)
    return shown | state.fields


def _now(state: EntityState, at: datetime, **changes: Any) -> EntityState:
    return msgspec.structs.replace(state, updated_at=at, **changes)


def _same(value: object, other: object) -> bool:
    """Tell whether two values are one in JSON: to Python true is 1, and 1 is 1.0."""
    return value == other and _encode(value) == _encode(other)


def _of_stored(refusal: InvalidBody, stored: Collection[str]) -> InvalidBody:
    """Return *refusal*, saying of which faults the sender is not to blame."""
    faults: list[dict[str, Any]] = refusal.members["errors"]
    if not any(each["loc"] and each["loc"][0] in stored for each in faults):
        return refusal
    return invalid([
        each | {"msg": f"{each['msg']}; so it is stored: send another value with the command"}
        if each["loc"] and each["loc"][0] in stored
        else each
        for each in faults
    ])  # fmt: skip


def _require_absent(state: EntityState, stream: Stream) -> None:
    if state.status == "purged":
        raise IsPurged(f"{stream} was purged and is never created again; choose another id.")
    if state.status != "absent":
        hint = "restore it instead" if state.status == "deleted" else "update it instead"
        raise AlreadyExists(f"{stream} exists already; {hint}.", status_now=state.status)


def _require(state: EntityState, stream: Stream, *, deleted: bool) -> None:
    if state.status == "absent":
        raise NotFound(f"{stream} does not exist.")
    if state.status == "purged":
        raise IsPurged(f"{stream} was purged.")
    if state.status == "deleted" and not deleted:
        raise IsDeleted(f"{stream} is deleted; restore it first.")


def _merged(old: Fields, patch: Fields) -> Fields:
    """Return *old* with the merge patch applied (RFC 7396)."""
    new = {**old}
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, dict):
            under = new.get(name)
            base = cast("Fields", under) if isinstance(under, dict) else {}
            new[name] = _merged(base, cast("Fields", value))
        else:
            new[name] = value
    return new
