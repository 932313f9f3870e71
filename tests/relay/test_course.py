"""Which events are due, and how the checkpoint moves."""

from datetime import UTC, datetime

from aiokafka import TopicPartition

from treering.message import Stored
from treering.relay.checkpoint import Apart, Checkpoint, End, decode, encode, moved
from treering.relay.course import Course

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT_10 = Checkpoint(position=10, event="event-10", epoch="first", ends={"trees": [End(), End(7, 9)]})


def event(position: int) -> Stored:
    return Stored(
        position=position,
        stream="tree/oak",
        version=position,
        id=f"event-{position}",
        type="tree.updated.v1",
        body="{}",
        time=NOON,
        recorded_at=NOON,
        tenant="default",
        actor="ann",
        correlation="c",
        causation="c",
        traceparent=None,
    )


def apart(*positions: int) -> Course:
    """Return a course whose partitions, in order, stand at *positions*."""
    found = [Apart("trees", n, position) for n, position in enumerate(positions)]
    return Course(Checkpoint(position=10, event="event-10", epoch="e", ends={}, apart=found))


def test_a_checkpoint_is_what_was_written() -> None:
    assert decode(encode(AT_10)) == AT_10


def test_an_end_moves_alone() -> None:
    after = moved(AT_10, {TopicPartition("trees", 0): End(3, 11)})
    assert after.ends == {"trees": [End(3, 11), End(7, 9)]}
    assert AT_10.end(TopicPartition("trees", 0)) == End()


def test_usually_all_that_follows_is_due() -> None:
    course = Course(AT_10)
    assert course.start == 10
    assert course.due(event(11), "trees", 0)
    after = course.after([event(11), event(12)])
    assert (after.position, after.event) == (12, "event-12")


def test_a_partition_that_is_behind_gets_what_it_has_not_and_no_other_does() -> None:
    course = apart(4)
    assert course.start == 4
    assert course.due(event(5), "trees", 0)
    assert not course.due(event(5), "trees", 1)
    after = course.after([event(5), event(6)])
    assert (after.position, after.event) == (10, "event-10")
    assert after.apart == [Apart("trees", 0, 6)]


def test_a_partition_that_is_ahead_gets_nothing_twice() -> None:
    course = apart(12)
    assert course.start == 10
    assert not course.due(event(12), "trees", 0)
    assert course.due(event(12), "trees", 1)
    assert course.due(event(13), "trees", 0)
    after = course.after([event(11)])
    assert (after.position, after.apart) == (11, [Apart("trees", 0, 12)])


def test_all_are_together_again_once_the_last_one_is_passed() -> None:
    course = apart(4, 12)
    assert course.after([event(10)]).apart == [Apart("trees", 1, 12)]
    assert course.after([event(12)]).apart == []
    assert course.due(event(13), "trees", 0)
