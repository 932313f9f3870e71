"""Handling: from commands to verdicts. Load, decide, append; again where something was in the way.

Whatever happens between two steps, a command that is handled again gets the verdict it had.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import batched, takewhile
from typing import Any

from treering.breath import Breath
from treering.errors import BadRequest, Refusal, StoreError, Unstorable
from treering.handling.asked import Asked, asked
from treering.handling.claims import CLAIMS, others, refusal
from treering.handling.outcomes import outcome, outcome_of, outcomes_of, reused
from treering.handling.plan import Plan
from treering.handling.states import Held, States
from treering.message import Outcome, Received, Stream, Verdict
from treering.points import reached
from treering.registry import Registry
from treering.store import Answer, Appended, Hindered, Store

__all__ = ["Handling", "Tell", "outcome_of", "outcomes_of"]

_PART = 64
"""Groups that the store is asked for at once; while it appends them the next are decided."""

type Tell = Callable[[Sequence[tuple[Received[Any], Outcome]]], Awaitable[None]]
"""Is told of commands whose verdicts are durable, with their outcomes."""
type Group = list[Asked]
type Name = tuple[str, str]
"""A command's tenant and id."""


async def _nobody(_settled: object) -> None:
    """Be told, and do nothing."""


class Handling:
    """Decides commands against one store; several may do so at once, in one process or in many."""

    def __init__(self, store: Store, registry: Registry, *, cached: int = 10_000) -> None:
        self._store = store
        self._registry = registry
        self._states = States(store, registry, cached)

    async def handle(self, batch: Sequence[Received[Any]], tell: Tell = _nobody) -> list[Outcome]:
        """Return the outcome of each command, in order, once its verdict is durable.

        Of a large batch parts are told before, each as soon as it is durable. A command that has a
        verdict is answered from it; the same id with other content is refused and the first verdict
        stands. Raises StoreUnavailable if the store stops answering: what was done until then is
        found again when the batch is handled again.
        """
        first: dict[Name, Received[Any]] = {}
        for received in batch:
            first.setdefault(_name(received), received)
        settling = _Batch(self._store, self._registry, self._states, tell)
        await settling.settle([asked(self._registry, received) for received in first.values()])
        return [settling.answer(received) for received in batch]


class _Batch:
    """The commands of one batch that have no verdict yet, on their way to one."""

    def __init__(self, store: Store, registry: Registry, states: States, tell: Tell) -> None:
        self._store = store
        self._registry = registry
        self._states = states
        self._tell = tell
        self._breath = Breath()
        self._verdicts: dict[Name, Verdict] = {}
        self._outcomes: dict[Name, Outcome] = {}
        self._refusals: dict[str, Refusal] = {}
        self._alone: set[str] = set()
        self._round: Sequence[Asked] = ()
        self._patient: set[str] = set()
        """Commands that may get what they claim once others of the batch, before them, are done."""
        self._existing: set[Stream] = set()
        """Streams that were taken to be new and are not."""
        self._known: dict[str, list[str]] = {}
        """Commands by tenant that the store says have a verdict; it is fetched after the round."""

    async def settle(self, commands: Sequence[Asked]) -> None:
        """Go round until every command has its verdict."""
        while commands:
            self._round = commands
            groups = self._grouped(commands)
            held = await self._load(commands)
            parts: list[asyncio.Task[None]] = []
            for part in batched(groups, _PART):
                plans = [await self._plan(group, held) for group in part]
                reached("before-append")
                parts.append(asyncio.create_task(self._append(plans)))
                await asyncio.sleep(0)
            await asyncio.gather(*parts)
            await self._fetch()
            commands = [each for each in commands if _name(each.received) not in self._outcomes]

    async def _append(self, plans: Sequence[Plan]) -> None:
        answers = await self._store.append_all([plan.request() for plan in plans])
        reached("after-append")
        for plan, answer in zip(plans, answers, strict=True):
            self._take(plan, answer)
        decided = [received for plan in plans for received in plan.decided]
        settled = [received for received in decided if _name(received) in self._outcomes]
        await self._tell([(received, self.answer(received)) for received in settled])

    def _grouped(self, commands: Sequence[Asked]) -> list[Group]:
        """Put commands that share streams together, in order; those that must be alone wait."""
        groups: dict[int, Group] = {}
        group_of: dict[Stream, int] = {}
        for number, each in enumerate(commands):
            streams = each.streams
            mine = {group_of[stream] for stream in streams if stream in group_of}
            alone = each.received.id in self._alone
            if -1 in mine or alone:
                if alone and not mine:
                    groups[number] = [each]
                group_of |= dict.fromkeys(streams, -1)
                continue
            place = min(mine, default=number)
            group = groups.setdefault(place, [])
            for one in sorted(mine - {place}):
                group += groups.pop(one)
            group.append(each)
            for stream in streams:
                group_of[stream] = place
            if len(mine) > 1:
                group_of = {each: place if at in mine else at for each, at in group_of.items()}
        return list(groups.values())

    async def _load(self, commands: Sequence[Asked]) -> dict[Stream, Held]:
        found: dict[Stream, Held] = {}
        missing: dict[Stream, None] = {}
        for each in commands:
            received = each.received
            for stream in each.streams:
                made_up = received.fresh and stream == received.stream
                if made_up and stream not in self._existing:
                    found[stream] = Held(each.decider, 0, each.decider.initial)
                else:
                    missing[stream] = None
        return found | await self._states.of(missing) if missing else found

    async def _plan(self, group: Group, held: dict[Stream, Held]) -> Plan:
        """Decide *group* in order, up to a second command that moves keys or references."""
        plan = Plan(self._registry, held)
        for each in group:
            received = each.received
            if received.id in self._patient and plan.decided:
                break
            if not plan.decide(each, self._refusals.get(received.id)):
                break
            await self._breath.take()
        return plan

    def answer(self, received: Received[Any]) -> Outcome:
        """Return the outcome of *received*; no longer its own if its id was used for another."""
        name = _name(received)
        if self._verdicts[name].fingerprint != received.fingerprint:
            return reused(received)
        return self._outcomes[name]

    def _take(self, plan: Plan, answer: Answer | StoreError) -> None:
        match answer:
            case Appended():
                settled, last = plan.finish(answer)
                for stream, held in last.items():
                    self._states.keep(stream, held)
                for verdict, held in settled:
                    name = verdict.tenant, verdict.id
                    self._verdicts[name] = verdict
                    self._outcomes[name] = outcome(verdict, held)
            case Hindered():
                self._learn(plan, answer)
            case BadRequest():
                self._part(plan, answer)
            case _:
                raise answer

    def _learn(self, plan: Plan, answer: Hindered) -> None:
        """Take in what stood in the way, so that the next round goes around it."""
        words = {trouble.word for trouble in answer.troubles}
        for trouble in answer.troubles:
            if trouble.word == "conflict":
                self._states.forget(trouble.name)
                self._existing.add(trouble.name)
            elif trouble.word == "duplicate":
                for received in plan.decided:
                    if received.id == trouble.name:
                        self._known.setdefault(received.tenant, []).append(received.id)
        if plan.mover is None or not words <= CLAIMS:
            for received in plan.decided:
                self._refusals.pop(received.id, None)
        elif self._follows(plan.mover, others(answer)):
            self._patient.add(plan.mover.id)
        else:
            self._refusals[plan.mover.id] = refusal(answer)

    def _follows(self, mover: Received[Any], streams: Sequence[Stream]) -> bool:
        """Say whether commands of this round that came before *mover* are about *streams*."""
        before = takewhile(lambda each: each.received is not mover, self._round)
        return any(not set(streams).isdisjoint(each.streams) for each in before)

    async def _fetch(self) -> None:
        """Answer the commands that turned out to have a verdict from it."""
        known, self._known = self._known, {}
        for tenant, commands in known.items():
            verdicts = await self._store.verdicts(commands, tenant)
            outcomes = await outcomes_of(self._store, self._registry, [*verdicts.values()])
            for command, verdict in verdicts.items():
                self._verdicts[tenant, command] = verdict
                self._outcomes[tenant, command] = outcomes[command]

    def _part(self, plan: Plan, error: BadRequest) -> None:
        """Refuse the one command that the database cannot take, or find it among several."""
        if len(plan.decided) > 1:
            self._alone.update(received.id for received in plan.decided)
            return
        (received,) = plan.decided
        if received.id in self._refusals:
            raise error
        self._refusals[received.id] = Unstorable(str(error))


def _name(received: Received[Any]) -> Name:
    return received.tenant, received.id
