"""An honest history passes every audit; one that was tampered with does not."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
import pytest

from tests.testing.history import REGISTRY, WELLS, History
from treering.entity import Created, Updated
from treering.projection import Projector
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.ledger import Answer, Said
from treering.testing.replay import Replay, audit_entities, audit_read_models


@pytest.fixture
async def history(store: Store) -> History:
    """Return what a service did."""
    return await History.lived(store)


def lines(history: History, command: str) -> list[Said]:
    """Return what was said of *command*."""
    return [said for said in history.ledger if said.command == command]


async def test_an_honest_history_passes(history: History) -> None:
    assert history.violations() == []
    assert [*audit_entities(history.books, {"well": WELLS})] == []


async def test_what_the_rules_say_is_asked_again_unless_it_was_erased(history: History) -> None:
    replay = Replay(history.books, history.ledger)
    assert [*replay.audit()] == []
    assert replay.decided == 6


async def test_answers_are_counted_once_a_command(history: History) -> None:
    assert history.ledger.counts() == {"accepted": 6, "refused": 3, "nothing": 1}


def lose_the_last_event(history: History) -> None:
    del history.events[-1]


def lose_an_event(history: History) -> None:
    del history.events[1]


def record_twice(history: History) -> None:
    last = history.events[-1]
    history.events.append(
        msgspec.structs.replace(last, position=last.position + 1, version=last.version + 1)
    )


def forget_a_verdict(history: History) -> None:
    del history.verdicts["c1"]


def acknowledge_what_was_refused(history: History) -> None:
    for said in lines(history, "c4"):
        said.answer = Answer(word="accepted", stream="well/b", version=1, first=9, last=9)


def refuse_what_was_recorded(history: History) -> None:
    for said in lines(history, "c1"):
        said.answer = Answer(word="refused", problem="urn:treering:error:not-found")


def answer_another_version(history: History) -> None:
    (said,) = lines(history, "c7")
    said.answer = replace(said.answer or Answer(word="nothing"), version=9)


def show_another_entity(history: History) -> None:
    (said,) = lines(history, "c7")
    said.answer = replace(said.answer or Answer(word="nothing"), entity={"id": "a"})


def record_what_the_rules_do_not_say(history: History) -> None:
    history.change(2, Updated(fields={"depth": 5}))


def let_two_hold_one_key(history: History) -> None:
    history.change(3, Created(fields={"name": "deep", "depth": 0, "tags": []}))


def answer_two_under_one_id(history: History) -> None:
    for said in lines(history, "c2"):
        if said.is_reused:
            said.answer = Answer(word="accepted", version=2)


def decide_nothing_of_what_kafka_took(history: History) -> None:
    history.ledger.note(
        Said(command="c11", type="well.delete.v1", subject="well/a", body={}, is_taken=True)
    )


def send_twice(history: History) -> None:
    history.seen.append(history.seen[-1])


def send_nothing(history: History) -> None:
    del history.seen[-1]


def send_in_another_order(history: History) -> None:
    history.seen[0], history.seen[1] = history.seen[1], history.seen[0]


def send_something_else(history: History) -> None:
    history.seen[1] = msgspec.structs.replace(history.seen[1], value=b'{"depth":9}')


TAMPERED: Mapping[Callable[[History], None], str] = {
    lose_the_last_event: "accepted events lost",
    lose_an_event: "gap in positions",
    record_twice: "not all or none",
    forget_a_verdict: "events without consent",
    acknowledge_what_was_refused: "acknowledged events lost",
    refuse_what_was_recorded: "events of a refused command",
    answer_another_version: "answer is not the verdict",
    show_another_entity: "answer is not the fold",
    record_what_the_rules_do_not_say: "not what the rules say",
    let_two_hold_one_key: "key held twice",
    answer_two_under_one_id: "id used twice",
    decide_nothing_of_what_kafka_took: "taken and never decided",
    send_twice: "doubled for them",
    send_nothing: "lost for them",
    send_in_another_order: "out of stream order for them",
    send_something_else: "altered for them",
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
async def test_tampering_is_found(tamper: Callable[[History], None], history: History) -> None:
    tamper(history)
    assert TAMPERED[tamper] in history.broken()


async def test_a_row_that_is_not_the_fold_is_found(
    history: History, store: Store, reader: Reader
) -> None:
    stop = asyncio.Event()
    projector = Projector(store, REGISTRY, [WELLS], namespace=store.namespace)
    folding = asyncio.create_task(projector.run(stop))
    models = ReadModels(reader, [WELLS])
    assert await models.wait("wells", len(history.events), 20)
    assert await audit_read_models(history.books, models, [WELLS]) == []
    history.change(2, Updated(fields={"depth": 7}))
    (found,) = await audit_read_models(history.books, models, [WELLS])
    assert (found.rule, found.about) == ("row is not the fold", "wells ('a',)")
    stop.set()
    await folding
    await models.close()
