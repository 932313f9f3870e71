"""References: who is named is there, and stays as long as it is named."""

import asyncio

from tests.store.asking import appended, as_owner, asking, hindered, together
from treering.store import Appended, Hindered, Request, Store
from treering.testing.fixtures import Database

TANK, OTHER = "tank/1", "tank/2"
ROWS = "select string_agg(child || '>' || parent, ',' order by child, parent) from reference"


def tank(stream: str = TANK) -> Request:
    """Ask for a tank, which holds its name."""
    return asking(stream, taken=[stream])


async def test_nobody_refers_to_what_is_not_there(store: Store, database: Database) -> None:
    early = asking("reading/1", made=[TANK])
    answer = await store.append(early)
    assert isinstance(answer, Hindered)
    (trouble,) = answer.troubles
    assert (trouble.word, trouble.name, trouble.holder) == ("missing", TANK, "reading/1")
    assert trouble.field == "of"
    assert (await store.head()).position == 0
    await appended(store, tank())
    await appended(store, early)
    assert await as_owner(database, ROWS) == "reading/1>tank/1"


async def test_what_is_referred_to_keeps_its_name(store: Store) -> None:
    await appended(store, tank())
    await store.append_all([asking(f"reading/{n}", made=[TANK]) for n in range(3)])
    answer = await store.append(asking(TANK, 1, released=[TANK]))
    assert isinstance(answer, Hindered)
    (trouble,) = answer.troubles
    assert (trouble.word, trouble.name, trouble.holder) == ("referred", TANK, "reading/0")
    assert trouble.count == 3
    assert (await store.head()).position == 4


async def test_a_reference_that_was_dropped_holds_nobody(store: Store, database: Database) -> None:
    await appended(store, tank())
    await appended(store, asking("reading/1", made=[TANK]))
    await appended(store, asking("reading/1", 1, dropped=[TANK]))
    await appended(store, asking(TANK, 1, released=[TANK]))
    assert await as_owner(database, ROWS) is None


async def test_another_unique_key_may_go_from_who_is_referred_to(store: Store) -> None:
    await appended(store, asking(TANK, taken=[TANK, "tank.name=a"]))
    await appended(store, asking("reading/1", made=[TANK]))
    await appended(store, asking(TANK, 1, released=["tank.name=a"], taken=["tank.name=b"]))


async def test_parent_and_child_come_and_go_in_one_request(
    store: Store, database: Database
) -> None:
    await appended(store, together(asking("reading/1", made=[TANK]), tank()))
    assert await as_owner(database, ROWS) == "reading/1>tank/1"
    gone = together(asking(TANK, 1, released=[TANK]), asking("reading/1", 1, dropped=[TANK]))
    await appended(store, gone)
    assert await as_owner(database, ROWS) is None


async def test_one_request_cannot_let_go_of_a_name_and_refer_to_it(store: Store) -> None:
    await appended(store, tank())
    both = together(asking(TANK, 1, released=[TANK]), asking("reading/1", made=[TANK]))
    assert await hindered(store, both) == [("missing", TANK, "reading/1", 0)]


async def test_who_refers_to_itself_may_come_and_go(store: Store) -> None:
    await appended(store, asking(TANK, taken=[TANK], made=[TANK]))
    await appended(store, asking(TANK, 1, released=[TANK], dropped=[TANK]))


async def test_of_two_that_refer_to_each_other_neither_goes_alone(store: Store) -> None:
    pair = together(
        asking(TANK, taken=[TANK], made=[OTHER]), asking(OTHER, taken=[OTHER], made=[TANK])
    )
    await appended(store, pair)
    for name, other in ((TANK, OTHER), (OTHER, TANK)):
        alone = asking(name, 1, released=[name], dropped=[other])
        assert await hindered(store, alone) == [("referred", name, other, 0)]
    await appended(store, asking(OTHER, 1, dropped=[TANK]))
    await appended(store, asking(TANK, 1, released=[TANK], dropped=[OTHER]))
    await appended(store, asking(OTHER, 2, released=[OTHER]))


async def test_requests_of_one_moment_are_appended_in_their_order(store: Store) -> None:
    answers = await store.append_all(
        [
            tank(),
            *(asking(f"reading/{n}", made=[TANK]) for n in range(50)),
            asking(TANK, 1, released=[TANK]),
            *(asking(f"reading/{n}", 1, dropped=[TANK]) for n in range(50)),
            asking(TANK, 1, released=[TANK]),
            asking("reading/late", made=[TANK]),
        ]
    )
    words = [type(answer) for answer in answers]
    assert words == [*[Appended] * 51, Hindered, *[Appended] * 51, Hindered]
    assert (await store.invariant(full=True)).holds


async def test_many_that_name_one_go_in_one_call(store: Store) -> None:
    await appended(store, tank())
    before = store.statistics.commits
    answers = await store.append_all(
        [asking(TANK, 1), *(asking(f"reading/{n}", made=[TANK]) for n in range(500))]
    )
    assert all(isinstance(answer, Appended) for answer in answers)
    assert store.statistics.commits == before + 1


async def test_neighbours_of_one_that_names_nobody_are_appended(store: Store) -> None:
    await appended(store, tank())
    answers = await store.append_all(
        [asking(f"reading/{n}", made=[TANK if n else OTHER]) for n in range(3)]
    )
    assert [type(answer) for answer in answers] == [Hindered, Appended, Appended]


async def test_more_than_a_thousand_are_not_counted(store: Store) -> None:
    await appended(store, tank())
    await store.append_all([asking(f"reading/{n}", made=[TANK]) for n in range(1200)])
    answer = await store.append(asking(TANK, 1, released=[TANK]))
    assert isinstance(answer, Hindered)
    assert answer.troubles[0].count == 1001


async def test_a_name_never_goes_while_somebody_comes_to_refer_to_it(
    store: Store, database: Database
) -> None:
    async with await Store.open(database.writer, namespace=database.namespace) as other:
        for n in range(40):
            name = f"tank/{n}"
            await appended(store, tank(name))
            gone, made = await asyncio.gather(
                store.append(asking(name, 1, released=[name])),
                other.append(asking(f"reading/{n}", made=[name])),
            )
            assert [type(gone), type(made)] in ([Appended, Hindered], [Hindered, Appended])
    orphans = (
        "select count(*) from reference left join unique_key on key = parent where key is null"
    )
    assert await as_owner(database, orphans) == 0
