"""Skipping an event: the command, what it leaves, and what is known of it."""

from treering.domain.projection import Skip, Skipped, projection
from treering.testing import of

given = of(projection, stream="projection/counts")


def test_a_position_is_skipped_and_says_why() -> None:
    given().when(Skip(position=7, reason="broken")).then(Skipped(position=7, reason="broken"))


def test_a_position_is_skipped_once() -> None:
    given(Skipped(position=7)).when(Skip(position=7)).nothing()


def test_what_is_skipped_is_shown() -> None:
    state = given(Skipped(position=9), Skipped(position=7)).state()
    shown = projection.represent("projection/counts", state)
    assert shown == {"id": "counts", "skipped": [7, 9]}
