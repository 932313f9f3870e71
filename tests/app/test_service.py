"""A service's declaration: what is refused, and what is made up."""

from typing import Any

import pytest

from treering import Service, Settings
from treering.errors import DeclarationError


def test_a_name_is_made_from_the_id() -> None:
    assert Service(id="lag-model").display_name == "Lag model"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"id": "Lag model"}, "is no id"),
        ({"id": "l" * 41}, "at most 40"),
        ({"id": "rain-read"}, "'rain-read' is no id: 'rain-read' would share a schema"),
        ({"id": 3}, "id is a str"),
        ({"id": "lag", "version": ""}, "version is empty"),
        ({"id": "lag", "settings": {"batch": 3}}, "settings is a Settings"),
        ({"id": "lag", "settings": Settings(secret="x")}, "secret can not be set in code"),
        ({"id": "lag", "settings": Settings(port=1, kafka="k:1")}, "kafka, port can not be set"),
    ],
)
def test_what_is_declared_wrongly_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        Service(**options)
