"""What `treering dev` shows to a person: how it starts, where it is, what goes wrong."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from treering.embedded import Progress as Step


class Screen:
    """The terminal; any thread may report a step."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._told = ""
        self._waits = False
        self._complaints: set[str] = set()

    def step(self, step: Step) -> None:
        """Show how far something slow has come, in the one bar there is."""
        if not self._console.is_terminal:
            if step.what != self._told:
                self._told = step.what
                self.said(f"{step.what} …")
            return
        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(step.what)
            self._bar.start()
        self._bar.update(
            self._task, description=step.what, completed=step.done, total=step.total or None
        )

    def done(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def started(
        self, title: str, addresses: Mapping[str, str], lines: Sequence[str], seconds: float
    ) -> None:
        """Show what runs, where, and what to try."""
        self.done()
        width = max(map(len, addresses))
        self._console.print(f"[bold]{escape(title)}[/bold] is ready after {seconds:.1f} s.\n")
        for name, address in addresses.items():
            self._console.print(f"  {name:<{width}}  [cyan]{escape(address)}[/cyan]")
        self._console.print("\nTry it:\n")
        for line in lines:
            self._console.print(f"  {escape(line)}")
        self._console.print("\nCtrl-C stops it all.")

    def said(self, text: str) -> None:
        """Show one sentence."""
        self._console.print(escape(text))

    def warned(self, text: str) -> None:
        """Show one sentence that asks for attention."""
        self._console.print(f"[yellow]{escape(text)}[/yellow]")

    def waits(self, missing: str) -> None:
        """Say once that it is not ready for lack of read models, which change all the time."""
        if not self._waits:
            self._waits = True
            self.warned(
                f"It waits for read models: {missing}. "
                "`treering projections status` says how far they are."
            )

    def complained(self, text: str) -> None:
        """Show a fault once, however often it comes back until all are forgotten."""
        if text not in self._complaints:
            self._complaints.add(text)
            self.failed(text)

    def forget(self) -> None:
        """Show faults anew."""
        self._complaints.clear()

    def failed(self, text: str) -> None:
        """Show why it can not go on."""
        self.done()
        self._console.print(f"[bold red]Error:[/bold red] {escape(text)}")
