"""How far a read model is, in figures and in words."""

from dataclasses import dataclass
from typing import Literal

from treering.message import Position
from treering.projection.build import Build

FAR = 10_000
"""Events that a read model that serves may lack before it counts as behind."""

type ModelState = Literal["live", "behind", "stopped", "held"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """How a build that was not taken up yet comes along."""

    percent: int
    """Of the events that there are."""
    rate: float | None
    """Events a second, as soon as that is known."""
    seconds_left: float | None

    def __str__(self) -> str:
        """Return it as a person reads it."""
        if self.rate is None or self.seconds_left is None:
            return f"{self.percent} %"
        return f"{self.percent} %, {self.rate:,.0f} events/s, {self.seconds_left:,.0f} s left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far one build of a read model is."""

    name: str
    version: str
    build: int
    """0: no projector has made its tables yet."""
    position: Position
    lag: int
    """Events that it does not show yet."""
    state: ModelState
    """`behind` until it has caught up, and when it lacks very much."""
    stopped_at: Position | None = None
    """The event that it can not fold."""
    reason: str | None = None
    """Why it has stopped, or how it differs from what it is to replace, or what its view lacks."""
    going: Going | None = None
    """While it is on its way."""
    is_taken_up: bool = False
    """Whether it is what this version's readers read; the only one there is always is."""
    is_shown: bool = False
    """Whether the plainly named view shows it."""


def status_of(build: Build, head: Position) -> Status:
    """Return how far *build* is in a store that ends at *head*."""
    lag = max(0, head - build.position)
    state = _state(build, lag)
    return Status(
        name=build.name,
        version=build.version,
        build=build.build,
        position=build.position,
        lag=lag,
        state=state,
        stopped_at=build.stopped_at,
        reason=_reason(build, state),
        going=_going(build, head) if state == "behind" else None,
        is_taken_up=build.serves,
        is_shown=build.is_shown,
    )


def why_away(build: Build) -> str:
    """Return why *build* can not be read yet while another version can: it was not taken up."""
    name = build.name
    if build.state == "stopped":
        return f"{name} has stopped before it was built: `treering projections status` says why."
    if build.is_held:
        return (
            f"{name} is held, as it shows something else than the version before: "
            "`treering projections status` says what, "
            f"`treering projections accept {name}` takes it up."
        )
    return f"{name} is being built anew for this release; try again."


def _state(build: Build, lag: int) -> ModelState:
    if build.state == "stopped":
        return "stopped"
    if build.is_held:
        return "held"
    is_there = build.is_ours and build.state == "live" and lag <= FAR
    return "live" if is_there else "behind"


def _reason(build: Build, state: ModelState) -> str | None:
    if not build.is_ours:
        return "It shows another store than this one."
    if state == "held":
        return build.differs
    if build.hindered and not build.is_shown:
        return build.reason or f"Its view can not show it: {build.hindered}"
    return build.reason


def _going(build: Build, head: Position) -> Going:
    reached = max(build.position, build.reached or 0)
    folded = reached - build.started_from
    rate = folded / build.seconds if build.seconds and folded > 0 else None
    left = max(0, head - reached) / rate if rate else None
    return Going(percent=100 * reached // head if head else 100, rate=rate, seconds_left=left)
