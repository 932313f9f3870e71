"""The command line: `treering`. Each command is imported when it is used, so that all are quick."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from treering.cli.output import complain
from treering.errors import TreeringError

app = App(
    name="treering",
    help="Commands in, events stored, read models out.",
    version=version("treering"),
    default_parameter=Parameter(negative=()),
)
_COMMANDS = {
    "dev": ("dev:dev", "Run everything in this folder, servers included."),
    "run": ("run:run", "Run roles on servers that are there: gateway, handler, relay, projector."),
    "status": ("status:status", "Say what runs, where, how far it is, and what it takes."),
    "command": ("command:command", "Publish one command and show its outcome."),
    "keys": ("keys:app", "API keys: make them, see them, revoke them."),
    "commands": ("commands:app", "What became of commands."),
    "dead": ("dead:app", "Messages that could not be read as commands."),
    "events": ("events:app", "What happened, in order."),
    "query": ("query:query", "Rows of a read model, filtered and sorted."),
    "projections": ("projections:app", "How far read models are; build one anew."),
    "relay": ("relay:app", "Events on their way to Kafka, and what an operator may decide."),
    "db": ("db:app", "Bring the database up to date, or take the store down."),
    "destroy": ("destroy:destroy", "Remove a service, with everything that it has made."),
    "schemas": ("schemas:app", "The language-neutral schemas of all messages."),
    "doctor": ("doctor:doctor", "Count everything and say whether all promises hold."),
}
for _name, (_place, _help) in _COMMANDS.items():
    app.command(f"treering.cli.{_place}", name=_name, help=_help)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    app_folder: Annotated[Path | None, Parameter(name="--app")] = None,
) -> object:
    """Run one command.

    Args:
        tokens: The command and what it is given.
        app_folder: The folder with `service.py`; the working folder unless given.

    """
    if app_folder is not None:
        os.environ["TREERING_APP"] = str(app_folder)
    return app(tokens, result_action="return_value", exit_on_error=False)


def main(words: Sequence[str] | None = None) -> None:
    """Run *words*, else the command line; an error is one sentence and an exit status."""
    words = sys.argv[1:] if words is None else words
    named = next((word for word in words if word in _COMMANDS), None)
    if named and (command := app[named]).default_command:
        command.help = None  # its docstring says more than its line in the list
    try:
        status = app.meta(words, result_action="return_value", exit_on_error=False)
    except TreeringError as error:
        complain(str(error))
        sys.exit(1)
    except CycloptsError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
