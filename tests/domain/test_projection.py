"""What operators decide about read models."""

from treering.domain.projection import Skip, Skipped, projection, stream_of
from treering.testing import of

given = of(projection, stream=stream_of("configs"))


def test_an_event_is_passed_over() -> None:
    given().when(Skip(position=7, reason="broken")).then(Skipped(position=7, reason="broken"))


def test_what_is_passed_over_already_is_nothing_to_do() -> None:
    given(Skipped(position=7)).when(Skip(position=7, reason="again")).nothing()
    given(Skipped(position=7)).when(Skip(position=8)).then(Skipped(position=8))


def test_it_shows_what_is_passed_over_in_order() -> None:
    state = given(Skipped(position=9), Skipped(position=7)).state()
    shown = projection.represent(stream_of("configs"), state)
    assert shown == {"id": "configs", "skipped": [7, 9]}
