"""Which paths are read without a key."""

from typing import Any

import pytest

from treering.gateway.http.guard import Guard, bearer_of, is_known
from treering.gateway.http.problem import Unauthorized
from treering.keys import Keyring

KEY = "sk_tests_0123456789"
OPEN = [
    ("/health", None, True),
    ("/docs/page.js", None, True),
    ("/docs/../api/v1/info", None, False),
    ("/health/", None, False),
    ("/health", "/mine,/page/*", False),
    ("/mine", "/mine,/page/*", True),
    ("/mine/more", "/mine,/page/*", False),
    ("/page/a/b", "/mine,/page/*", True),
    ("/page", "/mine,/page/*", False),
    ("/", "", False),
    ("/health/live", "", True),
    ("/health/ready", "", True),
]


@pytest.mark.parametrize(("path", "said", "is_open"), OPEN)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_is_open_is_read_by_anybody(
    path: str, said: str | None, kind: str, *, is_open: bool
) -> None:
    guard = Guard(Keyring(None, [KEY]), open_paths=said)
    scope: dict[str, Any] = {"type": kind, "path": path, "headers": []}
    if is_open:
        assert guard.admit(scope).access == "read"
        assert not is_known(scope)
    else:
        with pytest.raises(Unauthorized):
            guard.admit(scope)


def test_whoever_has_a_key_is_known_by_another_header_too() -> None:
    guard = Guard(Keyring(None, [KEY]), header="X-Our-Key")
    scope: dict[str, Any] = {"type": "http", "path": "/", "headers": [(b"x-our-key", KEY.encode())]}
    guard.admit(scope)
    assert is_known(scope)
    assert bearer_of(scope).access == "admin"
    assert not is_known({})
