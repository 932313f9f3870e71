"""Many entities in one request: one command for all of them, and if need be a command each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import fault, invalid
from treering.errors import Refusal
from treering.gateway.asking import Asked, Asking
from treering.gateway.collection import ID_IN_WORDS, Collection
from treering.gateway.entities.saying import Saying
from treering.gateway.http.body import LARGEST_BODY, json_value
from treering.gateway.http.problem import TooLarge, answer, is_parked
from treering.gateway.http.query import Parser, one_of, parsed
from treering.gateway.http.routes import Routes
from treering.message import Outcome, id_of

MOST = 1000
"""Items of one request."""
_LARGEST = 16_000_000
"""Bytes of its body; each item is bounded as any command is."""
_WORDS: Sequence[str] = ("create", "update", "delete")
_PARAMETERS: Mapping[str, Parser] = {"atomic": one_of("true", "false")}
type _Lists = dict[str, list[Any]]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Item:
    """One of the items, and where it stands."""

    word: str
    place: int
    asked: Asked | Refusal


class Bulk:
    """POST of `$bulk`: what can be done is done, unless it is to be all or nothing."""

    def __init__(self, collection: Collection, asking: Asking) -> None:
        self._collection = collection
        self._saying = Saying(collection)
        self._asking = asking

    def add_to(self, routes: Routes) -> None:
        """Add the address."""
        routes.add("POST", f"{self._collection.path}/$bulk", self.bulk)

    async def bulk(self, request: Request) -> Response:
        """Create, update and delete up to 1,000 entities; with `?atomic=true` all or nothing."""
        is_atomic = parsed(request.scope["query_string"], _PARAMETERS).get("atomic") == "true"
        said = self._lists(await json_value(request, LARGEST_BODY if is_atomic else _LARGEST))
        return await (self._together if is_atomic else self._singly)(request, said)

    async def _together(self, request: Request, said: _Lists) -> Response:
        """Ask for all of it by one command."""
        if (asked := self._whole(said)) is None:
            raise TooLarge(f"All or nothing has at most {LARGEST_BODY} bytes; send several.")

        def shown(outcome: Outcome) -> Response:
            return _all_told(said, outcome)

        return await self._asking.answer(request, asked, shown, _PARAMETERS)

    def _whole(self, said: _Lists) -> Asked | None:
        """Return the one command for all of it; None if it is too large."""
        body = _encode(said)
        if len(body) > LARGEST_BODY:
            return None
        kind = self._collection.entity.declaration.type_of("bulk")
        return Asked(type=kind, body=body, shows_entity=False)

    async def _singly(self, request: Request, said: _Lists) -> Response:
        """Ask for what can be done of it: for all of it first, which is much cheaper."""
        items = self._items(said)
        may_be_done = items and all(isinstance(each.asked, Asked) for each in items)
        if may_be_done and (asked := self._whole(said)) is not None:
            attempt = await self._asking.answers(request, [asked], _PARAMETERS, attempt="whole")
            (told,), headers = attempt
            if isinstance(told, Refusal):
                raise told
            if told.problem is None:
                response = _all_told(said, told)
                response.headers.update(headers)
                return response
            if is_parked(told.problem):
                return answer(told.problem, request.scope["path"])
        return await self._each(request, items)

    async def _each(self, request: Request, items: Sequence[_Item]) -> Response:
        """Ask for each by a command of its own."""
        asked = [each.asked for each in items if isinstance(each.asked, Asked)]
        told, headers = await self._asking.answers(request, asked, _PARAMETERS)
        outcomes = iter(told)
        done = dict.fromkeys(_WORDS, 0)
        ids: list[str] = []
        errors: list[Mapping[str, Any]] = []
        for each in items:
            found = next(outcomes) if isinstance(each.asked, Asked) else each.asked
            problem = found.problem() if isinstance(found, Refusal) else found.problem
            if problem is not None:
                errors.append({"in": each.word, "index": each.place, "problem": problem})
                continue
            done[each.word] += 1
            if each.word == "create" and not isinstance(found, Refusal):
                ids.append(id_of(found.stream or ""))
        response = _told(done, ids, errors)
        response.headers.update(headers)
        return response

    def _lists(self, said: object) -> _Lists:
        """Return what the body says by words; raises InvalidBody unless it is lists of items."""
        parts: dict[str, Any]
        if isinstance(said, list):
            parts = {"create": said}
        elif isinstance(said, dict):
            parts = cast("dict[str, Any]", said)
        else:
            word = "Is no list of entities, and no object with create, update and delete"
            raise invalid([fault((), "object_type", word)])
        faults = [
            fault((name,), "extra_forbidden", "Is none of create, update and delete")
            for name in parts
            if name not in _WORDS
        ]
        lists: _Lists = {}
        for word in _WORDS:
            found: Any = parts.get(word, [])
            if isinstance(found, list):
                lists[word] = cast("list[Any]", found)
            else:
                faults.append(fault((word,), "list_type", "Is no list", found))
        served = self._collection.entity.declaration.served
        for word in sorted(word for word, found in lists.items() if found and word not in served):
            said = f"{self._collection.plural} are served without {word}"
            faults.append(fault((word,), "not_served", said))
        if (count := sum(map(len, lists.values()))) > MOST:
            word = f"A request has at most {MOST} items, not {count}; send several"
            faults.append(fault((), "too_long", word))
        if faults:
            raise invalid(faults)
        return lists

    def _items(self, lists: _Lists) -> Sequence[_Item]:
        makers: Mapping[str, Callable[[Any], Asked]] = {
            "create": self._create, "update": self._update, "delete": self._delete,
        }  # fmt: skip
        return [
            _Item(word, place, _attempted(makers[word], each))
            for word, found in lists.items()
            for place, each in enumerate(found)
        ]

    def _create(self, said: Any) -> Asked:
        return self._saying.create(_object(said))

    def _update(self, said: Any) -> Asked:
        fields = _object(said)
        named = self._id(fields.get("id"))
        rest = {name: value for name, value in fields.items() if name != "id"}
        return self._saying.change("update", named, rest)

    def _delete(self, said: Any) -> Asked:
        return self._saying.plain("delete", self._id(said), shows_entity=False)

    def _id(self, said: object) -> str:
        if not isinstance(said, str):
            raise invalid([fault(("id",), "missing", f"Say its id: {ID_IN_WORDS}", said)])
        return self._collection.id_in_path(said)


def _all_told(said: _Lists, outcome: Outcome) -> Response:
    made = [id_of(each.stream) for each in outcome.changes[: len(said["create"])]]
    return _told({word: len(found) for word, found in said.items()}, made, ())


def _told(
    done: Mapping[str, int], ids: Sequence[str], errors: Sequence[Mapping[str, Any]]
) -> Response:
    body = {
        "success": not errors,
        "created": done["create"],
        "updated": done["update"],
        "deleted": done["delete"],
        "ids": ids,
        "errors": errors,
    }
    status = 201 if done["create"] else 200
    return Response(_encode(body), status, media_type="application/json")


def _attempted(make: Callable[[Any], Asked], said: Any) -> Asked | Refusal:
    try:
        return make(said)
    except Refusal as refusal:
        return refusal


def _object(said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise invalid([fault((), "object_type", "Is no JSON object", said)])
    return cast("dict[str, Any]", said)
