"""Figures beside their peers: rounds by turns in one run, of which the median ratio counts."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

type Measure = Callable[[], Awaitable[float]]
"""Measures one round and returns its value, in the figure's unit."""

ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is measured, and which ratio of ours to the peer's is good enough."""

    name: str
    bar: float
    at_most: bool = False
    """Whether the ratio must stay under the bar (times) or reach it (rates)."""

    def suffices(self, ratio: float) -> bool:
        """Tell whether *ratio* is good enough."""
        return ratio <= self.bar if self.at_most else ratio >= self.bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A figure with its medians."""

    figure: Figure
    value: float
    peer: float
    ratio: float

    @property
    def ok(self) -> bool:
        """Whether the bar is met."""
        return self.figure.suffices(self.ratio)

    def __str__(self) -> str:
        """Return `name value peer ratio bar ok|short`."""
        numbers = " ".join(_short(each) for each in (self.value, self.peer, self.ratio))
        return f"{self.figure.name} {numbers} {self.figure.bar:g} {'ok' if self.ok else 'short'}"


async def compare(figure: Figure, ours: Measure, peer: Measure, rounds: int = ROUNDS) -> Result:
    """Measure both by turns, print the figure's line, return it; the rounds go to stderr."""
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2:
            theirs = await peer()
            mine = await ours()
        else:
            mine = await ours()
            theirs = await peer()
        found.append((mine, theirs))
        told = f"{figure.name} round {number + 1}: {_short(mine)} {_short(theirs)}"
        print(told, _short(mine / theirs), file=sys.stderr, flush=True)
    result = Result(
        figure=figure,
        value=median(mine for mine, _ in found),
        peer=median(theirs for _, theirs in found),
        ratio=median(mine / theirs for mine, theirs in found),
    )
    print(result, flush=True)
    return result


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which *share* of *values* lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _short(number: float) -> str:
    if number >= 100:
        return f"{number:.0f}"
    return f"{number:.3g}" if number >= 0.01 else f"{number:.5f}"
