"""What a committer has done so far, for those who watch it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Statistics:
    """What the committer has done so far."""

    commits: int = 0
    requests: int = 0
    events: int = 0
    hindered: int = 0
    seconds: float = 0
    waiting: int = 0
    observe: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    """Size and seconds of commits not yet taken by a reader of metrics; at most 1,000."""

    def committed(self, requests: int, events: int, seconds: float) -> None:
        """Count one call."""
        self.commits += 1
        self.requests += requests
        self.events += events
        self.seconds += seconds
        if len(self.observe) < 1000:
            self.observe.append((events, seconds))
