"""How what happens is asked for: the parameters, which are the fields of an event."""

from collections.abc import Sequence

from treering.gateway.openapi.operations import Described, parameter

_TEXT: Described = {"type": "string"}
_TEXTS = {
    "kind": "Only of this kind, such as `config`.",
    "subject": "Only of this one, such as `config/rain`.",
    "type": "Only events of this type, such as `config.created.v1`.",
    "filter": "Conditions in JSON, on the fields of an event and, as `data.name`, on its data.",
    "after": "Those after this position, `<epoch>:<position>` or a number; 0 for all there were.",
}
EVENTS: Sequence[Described] = [
    *(parameter(name, _TEXT, said) for name, said in _TEXTS.items()),
    parameter("Last-Event-ID", _TEXT, "The last position that was told.", where="header"),
]
