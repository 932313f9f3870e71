"""`treering command`: one command, published and answered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from treering.app import App
from treering.bus import OutcomeTimeout
from treering.cli import place
from treering.cli.output import complain, show
from treering.entity.validation import nearest
from treering.errors import SettingsError

REFUSED, UNANSWERED = 2, 3
_decode = msgspec.json.Decoder(dict[str, Any]).decode


async def command(
    type: str,
    /,
    *fields: str,
    subject: str | None = None,
    id: str | None = None,
    expected: int | None = None,
    data: str | None = None,
    timeout: float = 10,
) -> int:
    """Publish one command, signed, and print its outcome as JSON.

    Ends with 0 when it was accepted or there was nothing to do, 2 when it was refused, 3 when no
    outcome came in time.

        treering command config.create.v1 name=first data.lags=3

    Args:
        type: The command's type, such as `config.create.v1`; the version may be left out.
        fields: NAME=VALUE each; a value is JSON where the field is no text, and NAME may be a
            path such as `data.lags`.
        subject: The stream, KIND/ID; a create makes one unless given.
        id: The command's id: sending it again is safe.
        expected: Decide only if the stream stands at this version.
        data: The whole body as JSON, instead of fields.
        timeout: Seconds to wait for the outcome.

    """
    found = place.loaded()
    name = _known(found, type)
    body = _body(found, name, fields, data)
    if subject is None:
        _require_that_it_creates(found, name)
    try:
        async with place.client(found) as client:
            outcome = await client.ask(
                name, body, timeout=timeout, subject=subject, id=id, expected=expected
            )
    except OutcomeTimeout as error:
        complain(str(error))
        return UNANSWERED
    show(outcome)
    return REFUSED if outcome.outcome == "refused" else 0


def _known(app: App, name: str) -> str:
    """Return the type that *name* means; raises SettingsError with the nearest if it is none."""
    types = [*app.registry.commands]
    if app.registry.command(name) is not None:
        return name
    versions = [each for each in types if each.rpartition(".v")[0] == name]
    if versions:
        return max(versions, key=lambda each: int(each.rpartition(".v")[2]))
    near = nearest(name, types)
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(types)}."
    raise SettingsError(f"This service has no command {name!r}; {hint}")


def _require_that_it_creates(app: App, name: str) -> None:
    kind = app.registry.command(name)
    if kind is not None and not app.registry.creates(kind):
        stream = f"{name.partition('.')[0]}/ID"
        raise SettingsError(f"{name} needs the stream it is about: say --subject {stream}.")


def _body(app: App, name: str, fields: Sequence[str], data: str | None) -> dict[str, Any]:
    if data is not None and fields:
        raise SettingsError("Say the body with --data or with NAME=VALUE, not both.")
    if data is not None:
        return _object(data)
    kind = app.registry.commands.get(name)
    schema: dict[str, Any] = kind.schema().get("properties", {}) if kind else {}
    body: dict[str, Any] = {}
    for field in fields:
        path, is_given, value = field.partition("=")
        if not is_given:
            raise SettingsError(f"{field!r} is no NAME=VALUE.")
        _put(body, path.split("."), _value(value, schema.get(path, {})))
    return body


def _object(data: str) -> dict[str, Any]:
    try:
        return _decode(data)
    except msgspec.DecodeError as error:
        raise SettingsError(
            f'--data is no JSON object, such as \'{{"name": "first"}}\': {error}.'
        ) from error


def _put(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        within: Any = body.setdefault(step, {})
        if not isinstance(within, dict):
            raise SettingsError(f"{'.'.join(path)!r}: {step!r} has a value already.")
        body = cast("dict[str, Any]", within)
    body[path[-1]] = value


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """Return *text* as it stands where the field is text, else the JSON that it is."""
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
