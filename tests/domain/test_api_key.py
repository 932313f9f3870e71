"""What may be said about API keys, and what of them is shown."""

from datetime import UTC, datetime, timedelta

import pytest

from treering.domain.api_key import (
    UNSIGNED,
    Forbidden,
    IsRevoked,
    Issue,
    Issued,
    Revoke,
    Revoked,
    Rotate,
    Rotated,
    api_key,
)
from treering.errors import AlreadyExists, InvalidBody, NotFound
from treering.message import Command
from treering.testing import of
from treering.testing.given import NOON

CI = "api-key/ci"
LATER = NOON + timedelta(days=1)
OLD, NEW = ("0" * 12, "0" * 64), ("1" * 12, "1" * 64)
"""A prefix and a digest each."""
ISSUE = Issue(prefix=OLD[0], digest=OLD[1], access="read", note="tests")
ISSUED = Issued(prefix=OLD[0], digest=OLD[1], access="read", note="tests")
ROTATE = Rotate(prefix=NEW[0], digest=NEW[1])
ROTATED = Rotated(prefix=NEW[0], digest=NEW[1], expires_at=LATER)

given = of(api_key, stream=CI)


def test_a_key_is_issued() -> None:
    given().when(ISSUE).then(ISSUED)


def test_a_name_is_given_once() -> None:
    given(ISSUED).when(ISSUE).refuses(AlreadyExists)
    given(ISSUED, Revoked()).when(ISSUE).refuses(AlreadyExists)


def test_an_end_is_in_utc_and_to_come() -> None:
    said = LATER.astimezone()
    given().when(Issue(prefix=OLD[0], digest=OLD[1], expires_at=said)).then(
        Issued(prefix=OLD[0], digest=OLD[1], access="write", expires_at=LATER)
    )
    given().when(Issue(prefix=OLD[0], digest=OLD[1], expires_at=NOON)).refuses(
        InvalidBody, "expires_at"
    )
    given(ISSUED).when(Rotate(prefix=NEW[0], digest=NEW[1], expires_at=NOON)).refuses(
        InvalidBody, "expires_at"
    )


@pytest.mark.parametrize("command", [ISSUE, ROTATE, Revoke()], ids=repr)
def test_nobody_says_it_without_a_signature(command: Command) -> None:
    given(ISSUED).when(command, actor=UNSIGNED).refuses(Forbidden)


def test_another_key_takes_its_place() -> None:
    given(ISSUED).when(ROTATE).then(Rotated(prefix=NEW[0], digest=NEW[1]))
    state = given(ISSUED, ROTATED).state()
    assert (state.prefix, state.digest, state.access) == (*NEW, "read")
    assert (state.lets_in(NOON), state.lets_in(LATER)) == (True, False)


def test_what_is_revoked_stays_so() -> None:
    given(ISSUED).when(Revoke(reason="lost")).then(Revoked(reason="lost"))
    given(ISSUED, Revoked()).when(Revoke()).nothing()
    given(ISSUED, Revoked()).when(ROTATE).refuses(IsRevoked)
    assert not given(ISSUED, Revoked()).state().lets_in(NOON)


def test_there_has_to_be_one() -> None:
    given().when(ROTATE).refuses(NotFound)
    given().when(Revoke()).refuses(NotFound)
    assert not given().state().lets_in(datetime.now(UTC))
    assert api_key.represent(CI, given().state()) is None


def test_what_lets_its_bearer_in_is_not_shown() -> None:
    shown = api_key.represent(CI, given(ISSUED).state())
    assert shown is not None
    assert OLD[1] not in shown.values()
    assert (shown["id"], shown["prefix"], shown["is_revoked"]) == ("ci", OLD[0], False)
    ended = api_key.represent(CI, given(ISSUED, ROTATED).state())
    assert ended is not None
    assert ended["expires_at"] == "2026-01-02T12:00:00.000000Z"
