"""The storm of a chaos run: clients speak, and meanwhile everything goes wrong."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from benchmarks.mischief import Mischief, drawn
from benchmarks.voices import HttpVoice, KafkaVoice
from benchmarks.wishes import Wish, Wishes
from treering import ulid
from treering.embedded import Servers
from treering.testing.fleet import Fleet, Member
from treering.testing.ledger import Ledger, Said

_PATIENCE = 90.0
_TELL_SECONDS = 2.0

type Voice = KafkaVoice | HttpVoice


class Storm:
    """One run: servers, roles, clients, and what goes wrong."""

    def __init__(self, servers: Servers, fleet: Fleet, seed: int, seconds: float) -> None:
        self.ledger = Ledger()
        self.done: Counter[str] = Counter()
        """What went wrong so far, by deed."""
        self._servers = servers
        self._fleet = fleet
        self._seed = seed
        self._seconds = seconds
        self._wishes = Wishes()
        self._serving = asyncio.Lock()

    async def run(self, voices: Sequence[tuple[Voice, Voice]]) -> None:
        """Let clients speak while everything goes wrong; return when all is well again."""
        plan = drawn(Random(self._seed), self._seconds)
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell())
            for number, (mine, other) in enumerate(voices):
                group.create_task(self._client(Random(f"{self._seed}/{number}"), mine, other, over))
            began = time.monotonic()
            async with asyncio.TaskGroup() as deeds:
                for mischief in plan:
                    await asyncio.sleep(began + mischief.at - time.monotonic())
                    deeds.create_task(self._do(mischief))
                await asyncio.sleep(began + self._seconds - time.monotonic())
            over.set()
            telling.cancel()

    async def _tell(self) -> None:
        """Say every few seconds how many were answered."""
        began, answered = time.monotonic(), 0
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            count = sum(said.answer is not None for said in self.ledger)
            note(f"{time.monotonic() - began:5.0f} s  {(count - answered) / _TELL_SECONDS:.0f}/s")
            answered = count

    async def _client(self, random: Random, mine: Voice, other: Voice, over: asyncio.Event) -> None:
        """Say one thing after the other, some of it twice."""
        while not over.is_set():
            wish = self._wishes.draw(random)
            twice = random.random()
            if twice < 0.9:
                said = await mine.say(wish, None)
                silent = said.answer is None and not said.is_taken
                if silent and said.command and random.random() < 0.5:
                    said = await mine.say(wish, said.command)
                self._learn(wish, said)
                continue
            command = ulid.new()
            again = _changed(wish) if twice > 0.97 else wish
            if twice < 0.93:
                both = [await mine.say(wish, command), await mine.say(again, command)]
            else:
                both = await asyncio.gather(mine.say(wish, command), other.say(again, command))
            for said in both:
                self._learn(wish, said)

    def _learn(self, wish: Wish, said: Said) -> None:
        if said.answer is not None:
            self._wishes.learn(wish, said.answer)

    async def _do(self, mischief: Mischief) -> None:
        """Do one thing, and undo it when its time has come."""
        self.done[mischief.deed] += 1
        length = f" for {mischief.seconds:.1f} s" if mischief.seconds else ""
        note(f"{mischief.at:5.0f} s  {mischief.deed} {mischief.role}{length}")
        match mischief.deed:
            case "kill":
                _victim(self._fleet.of(mischief.role)).kill()
            case "freeze-one":
                await _frozen([_victim(self._fleet.of(mischief.role))], mischief.seconds)
            case "freeze-all":
                await _frozen(self._fleet.of(mischief.role), mischief.seconds)
            case "kill-postgres":
                await self._down("postgres", 0)
            case "stop-kafka" | "kill-kafka":
                await self._down("kafka", mischief.seconds)

    async def _down(self, name: str, seconds: float) -> None:
        """Kill a server, and start it again after some seconds."""
        async with self._serving:
            os.kill(self._servers.pids[name], signal.SIGKILL)
            await _until(lambda: self._servers.dead() is not None, f"{name} is dead")
            await asyncio.sleep(seconds)
            began = time.monotonic()
            await asyncio.to_thread(self._servers.revive)
            note(f"         {name} is back after {time.monotonic() - began:.1f} s")


def note(line: str) -> None:
    """Tell whoever waits how it goes."""
    print(line, file=sys.stderr, flush=True)


def _victim(members: Sequence[Member]) -> Member:
    """Return the one that has lived longest: it is the one at work where others stand by."""
    return min(members, key=lambda member: member.began)


async def _frozen(members: Sequence[Member], seconds: float) -> None:
    for member in members:
        member.freeze()
    await asyncio.sleep(seconds)
    for member in members:
        member.thaw()


def _changed(wish: Wish) -> Wish:
    return Wish(
        type=wish.type,
        body={**wish.body, "height": 1.5, "litres": 3, "capacity": 77, "tags": ["other"]},
        subject=wish.subject,
        expected=wish.expected,
    )


async def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited in vain until {what}.")
        await asyncio.sleep(0.02)
