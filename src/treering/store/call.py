"""Requests as the arguments of one call of `append`, and its answer as theirs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from treering.errors import BadRequest
from treering.message import Change, Verdict, kind_of
from treering.store.request import Answer, Appended, Hindered, Request, Trouble

_SEPARATOR = "\x1f"
_NULL = "\x1e"
_LETTERS = {"accepted": "a", "refused": "r", "nothing": "n"}
_ARRAYS = (10, 19)
"""The places of times and fingerprints, which travel as arrays; all others as one text each."""
_encode = msgspec.json.Encoder().encode

type _Numbered = tuple[int, Request]


class _Found(msgspec.Struct):
    request: int
    word: str
    name: str
    holder: str | None = None
    version: int = 0
    field: str = ""
    count: int = 0


_found = msgspec.json.Decoder(list[_Found])


def arguments(requests: Sequence[Request], rules: str | None = None) -> list[Any]:
    """Return the arguments of `append.sql` for *requests*, in its order, decided by *rules*.

    Raises BadRequest if a text holds the character that parts them.
    """
    moving = [each for each in enumerate(requests) if _moves(each[1])]
    columns = (
        *_entries(requests), *_stands(requests), *_rulings(requests), *_keys(moving),
        *_references(moving), *_erased(moving),
    )  # fmt: skip
    made = [column if at in _ARRAYS else _joined(column) for at, column in enumerate(columns)]
    return [*made, rules]


def _entries(requests: Sequence[Request]) -> list[list[Any]]:
    made: list[list[Any]] = [[] for _ in range(11)]
    (
        ids, streams, versions, types, bodies, tenants, actors, correlations, causations,
        traceparents, times,
    ) = made  # fmt: skip
    for request in requests:
        for entry in request.entries:
            origin = entry.origin
            ids.append(entry.id)
            streams.append(entry.stream)
            versions.append(str(entry.version))
            types.append(entry.type)
            bodies.append(entry.body)
            tenants.append(origin.tenant)
            actors.append(origin.actor)
            correlations.append(origin.correlation)
            causations.append(origin.command)
            traceparents.append(origin.traceparent or _NULL)
            times.append(origin.time)
    return made


def _stands(requests: Sequence[Request]) -> list[list[str]]:
    made: list[list[str]] = [[] for _ in range(5)]
    numbers, streams, kinds, expected, becomes = made
    for number, request in enumerate(requests):
        for stand in request.stands:
            numbers.append(str(number))
            streams.append(stand.stream)
            kinds.append(kind_of(stand.stream))
            expected.append(str(stand.expected))
            becomes.append(str(stand.becomes))
    return made


def _rulings(requests: Sequence[Request]) -> list[list[Any]]:
    made: list[list[Any]] = [[] for _ in range(11)]
    (
        numbers, ids, tenants, fingerprints, outcomes, streams, versions, firsts, lasts, problems,
        changes,
    ) = made  # fmt: skip
    before = 0
    for number, request in enumerate(requests):
        for ruling in request.rulings:
            verdict = ruling.verdict
            numbers.append(str(number))
            ids.append(verdict.id)
            tenants.append(verdict.tenant)
            fingerprints.append(verdict.fingerprint)
            outcomes.append(_LETTERS[verdict.outcome])
            streams.append(verdict.stream)
            versions.append(str(verdict.version))
            firsts.append(_NULL if ruling.first is None else str(before + ruling.first))
            lasts.append(_NULL if ruling.last is None else str(before + ruling.last))
            problems.append(_encode(verdict.problem).decode() if verdict.problem else _NULL)
            changes.append(_encode(verdict.changes).decode() if verdict.changes else _NULL)
        before += len(request.entries)
    return made


def _moves(request: Request) -> bool:
    """Say whether there is more to it than events and verdicts."""
    return bool(
        request.taken or request.released or request.made or request.dropped or request.erased
    )


def _keys(requests: Sequence[_Numbered]) -> list[list[str]]:
    made: list[list[str]] = [[] for _ in range(7)]
    released, releasing, numbers, taken, taking, leaving, gone = made
    for number, request in requests:
        for key in request.released:
            released.append(key.key)
            releasing.append(key.stream)
            if key.is_name:
                leaving.append(str(number))
                gone.append(key.stream)
        for key in request.taken:
            numbers.append(str(number))
            taken.append(key.key)
            taking.append(key.stream)
    return made


def _references(requests: Sequence[_Numbered]) -> list[list[str]]:
    made: list[list[str]] = [[] for _ in range(7)]
    dropped_parents, dropped_children, dropped_fields, numbers, parents, children, fields = made
    for number, request in requests:
        for reference in request.dropped:
            dropped_parents.append(reference.parent)
            dropped_children.append(reference.child)
            dropped_fields.append(reference.field)
        for reference in request.made:
            numbers.append(str(number))
            parents.append(reference.parent)
            children.append(reference.child)
            fields.append(reference.field)
    return made


def _erased(requests: Sequence[_Numbered]) -> list[list[str]]:
    stands = [stand for _, request in requests for stand in request.erased]
    return [[stand.stream for stand in stands], [str(stand.expected) for stand in stands]]


def _joined(column: list[str]) -> str | None:
    if not column:
        return None
    text = _SEPARATOR + _SEPARATOR.join(column)
    if text.count(_SEPARATOR) != len(column):
        raise BadRequest("Text cannot hold the character U+001F; leave it out.")
    return text


def answers(
    requests: Sequence[Request], base: int, at: datetime, trouble: str | None
) -> list[Answer | None]:
    """Return an answer each; None: nothing stood in its way, but others', so it goes again."""
    if trouble is None:
        return _appended(requests, base, at)
    found: dict[int, list[Trouble]] = {}
    for each in _found.decode(trouble):
        what = Trouble(
            each.word, each.name, each.holder, each.version, field=each.field, count=each.count
        )
        found.setdefault(each.request, []).append(what)
    return [Hindered(found[n]) if n in found else None for n in range(len(requests))]


def _appended(requests: Sequence[Request], base: int, at: datetime) -> list[Answer | None]:
    made: list[Answer | None] = []
    for request in requests:
        made.append(Appended(base, at))
        base += len(request.entries)
    return made


def verdict_of(row: Any) -> Verdict:
    """Return the verdict in *row*."""
    letter: bytes = row["outcome"]
    return Verdict(
        id=row["id"],
        tenant=row["tenant"],
        fingerprint=row["fingerprint"],
        outcome="accepted" if letter == b"a" else "refused" if letter == b"r" else "nothing",
        stream=row["stream"],
        version=row["version"],
        problem=msgspec.json.decode(row["problem"]) if row["problem"] else None,
        positions=None if row["first"] is None else (row["first"], row["last"]),
        changes=msgspec.json.decode(row["changes"], type=list[Change]) if row["changes"] else (),
        recorded_at=row["recorded_at"],
    )
