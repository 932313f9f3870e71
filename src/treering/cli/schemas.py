"""`treering schemas`: the contract of the service in files."""

from pathlib import Path

from cyclopts import App

from treering.app import App as Application
from treering.app import contract
from treering.cli import place
from treering.cli.output import complain, say
from treering.roots import kit_root

app = App(name="schemas", help="The language-neutral schemas of all messages.")


@app.command
def write() -> None:
    """Write `schemas/` anew: a file for each command, event and read model, and AsyncAPI.

    A released file is never touched: a compatible change gets the next revision.

        treering schemas write
    """
    found = place.loaded(projections=True)
    folder = _folder(found)
    changed = contract.write(contract.contract(found, folder), folder)
    say("\n".join(changed) if changed else f"{folder.name}/ is up to date.")


@app.command
def check() -> int:
    """Say whether `schemas/` is what the code declares; end with 1 if it is not.

    treering schemas check
    """
    found = place.loaded(projections=True)
    folder = _folder(found)
    said = contract.drift(contract.contract(found, folder), folder)
    for each in said:
        complain(each)
    if said:
        say("`treering schemas write` brings the files up to date.")
    return 1 if said else 0


@app.command
def release() -> None:
    """Note all files of `schemas/` as released: from now on they never change.

    treering schemas release
    """
    folder = _folder(place.loaded())
    new = contract.release(folder)
    say("\n".join(new) if new else "Nothing is new.")


def _folder(found: Application) -> Path:
    return (found.root or kit_root()) / "schemas"
