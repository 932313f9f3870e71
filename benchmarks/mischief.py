"""What goes wrong in a chaos run, and when: drawn from a seed, the same for the same seed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

ROLES: Mapping[str, int] = {"handler": 2, "relay": 2, "projector": 2, "gateway": 2}
_FULL_SECONDS = 180.0
_ROUNDS = 16
"""Times that each role is killed."""
_KAFKA_AWAY = 20.0
_SHORT_AWAY = 4.0
_SUCCEEDED: Mapping[str, tuple[float, float]] = {
    "handler": (2.5, 4), "relay": (6, 8), "projector": (2, 4), "gateway": (1, 3),
}  # fmt: skip
"""Seconds for which one is frozen while another takes over."""

type Deed = Literal["kill", "freeze-one", "freeze-all", "kill-postgres", "stop-kafka", "kill-kafka"]

ROLE_DEEDS: Collection[Deed] = ("kill", "freeze-one", "freeze-all")
"""What happens to roles; the rest happens to servers."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mischief:
    """One thing that goes wrong."""

    at: float
    """Seconds from the beginning."""
    deed: Deed
    role: str = ""
    seconds: float = 0.0
    """How long it lasts."""


def drawn(random: Random, seconds: float) -> Sequence[Mischief]:
    """Return what goes wrong in a run of so many *seconds*, in order."""
    share = seconds / _FULL_SECONDS
    found = [*_kills(random, seconds, share), *_freezes(random, seconds, share)]
    return sorted([*found, *_servers(random, seconds)])


def _kills(random: Random, seconds: float, share: float) -> Sequence[Mischief]:
    """Kill the roles by turns, in an order that is another one each time."""
    rounds = round(_ROUNDS * share) if share > 0.5 else 1
    roles = [role for _ in range(rounds) for role in random.sample([*ROLES], k=len(ROLES))]
    pause = (seconds - 3) / len(roles)
    return [
        Mischief(at=1 + pause * (place + random.random() * 0.8), deed="kill", role=role)
        for place, role in enumerate(roles)
    ]


def _freezes(random: Random, seconds: float, share: float) -> Sequence[Mischief]:
    each = max(1, round(2 * share))
    found: list[Mischief] = []
    for role, (least, most) in _SUCCEEDED.items():
        for _ in range(each):
            at = random.uniform(0.1, 0.75) * seconds
            found.append(
                Mischief(at=at, deed="freeze-one", role=role, seconds=random.uniform(least, most))
            )
            at, length = random.uniform(0.1, 0.75) * seconds, random.uniform(0.5, 3)
            found.append(Mischief(at=at, deed="freeze-all", role=role, seconds=length))
    return found if share > 0.5 else random.sample(found, 3)


def _servers(random: Random, seconds: float) -> Sequence[Mischief]:
    """Let servers be away one after the other, never both at once."""
    is_full = seconds >= 0.5 * _FULL_SECONDS
    once: Sequence[Deed] = ("kill-postgres", "stop-kafka")
    more: Sequence[Deed] = ("kill-postgres", "kill-postgres", "kill-kafka", "kill-kafka")
    deeds: Sequence[Deed] = [*once, *more] if is_full else once
    deeds = random.sample(deeds, k=len(deeds))
    slot = 0.84 * seconds / len(deeds)
    found: list[Mischief] = []
    for place, deed in enumerate(deeds):
        away = (_KAFKA_AWAY if is_full else _SHORT_AWAY) if deed == "stop-kafka" else 0.0
        spare = max(0.0, slot - away - 3)
        at = 0.08 * seconds + slot * place + random.random() * spare
        found.append(Mischief(at=at, deed=deed, seconds=away))
    return found
