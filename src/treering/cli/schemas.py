"""`treering schemas`: the contract of the service in files, and what a change of it takes."""

from cyclopts import App

from treering.app import contract
from treering.app.released import folder_of, released
from treering.app.skeleton import skeletons, verdicts
from treering.cli import place
from treering.cli.output import complain, say, show, table
from treering.schema import SchemaVersion

app = App(name="schemas", help="The language-neutral schemas of all messages.")


@app.command(name="list")
def list_(*, json: bool = False) -> None:
    """Print every shape with its newest revision, and which of them are old.

        treering schemas list

    Args:
        json: Print JSON instead of a table.

    """
    found = place.loaded(projections=True)
    schemas = contract.contract(found, folder_of(found)).compared.schemas
    newest = [each for name in schemas.names() if (each := schemas.get(name)) is not None]
    if json:
        show([{"id": each.id, "deprecated": each.deprecated} for each in newest])
        return
    table(("shape", "fields", ""), [_row(each) for each in newest])


@app.command
def check() -> int:
    """Say whether `schemas/` is what the code declares; end with 1 if it is not.

    What was not released yet is mentioned: it may still change, and is no revision to others.

        treering schemas check
    """
    found = place.loaded(projections=True)
    folder = folder_of(found)
    now = contract.contract(found, folder)
    said = contract.drift(now, folder)
    for each in said:
        complain(each)
    if now.faults:
        say("`treering schemas diff` shows what to write.")
    elif said:
        say("`treering schemas write` brings the files up to date.")
    elif new := contract.unreleased(folder):
        count = f"{len(new)} of its files" if released(folder) else "nothing of it"
        verb = "are" if released(folder) else "is"
        say(f"{folder.name}/ is up to date; {count} {verb} released: `treering schemas release`.")
    return 1 if said else 0


@app.command
def diff() -> int:
    """Say in what the code differs from what was released, and what that takes.

    A field that need not be there keeps its type's version; anything else wants a new one and an
    upcast, whose skeleton is printed. Ends with 1 if one is wanted, or what was released is gone.

        treering schemas diff
    """
    found = place.loaded(projections=True)
    folder = folder_of(found)
    if not released(folder):
        say(f"Nothing in {folder.name}/ was released; `treering schemas release` does that.")
        return 0
    compared = contract.contract(found, folder).compared
    changes = compared.changes
    for each in compared.broken:
        complain(each)
    for sentence in verdicts(changes):
        say(sentence)
    wanted = [*skeletons(found, changes)]
    for code in wanted:
        say(f"\n{code}\n")
    if not changes and not compared.broken:
        say("Nothing differs from what was released.")
    return 1 if wanted or compared.broken else 0


@app.command
def write() -> None:
    """Write `schemas/` anew: a file for each command, event and read model, and AsyncAPI.

    A released file is never touched: a compatible change gets the next revision.

        treering schemas write
    """
    found = place.loaded(projections=True)
    folder = folder_of(found)
    changed = contract.write(contract.contract(found, folder), folder)
    say("\n".join(changed) if changed else f"{folder.name}/ is up to date.")


@app.command
def release() -> None:
    """Note all files of `schemas/` as released: from now on they never change.

    Refused while they are not what the code declares.

        treering schemas release
    """
    found = place.loaded(projections=True)
    folder = folder_of(found)
    new = contract.release(contract.contract(found, folder), folder)
    say("\n".join(new) if new else "Nothing is new.")


def _row(of: SchemaVersion) -> tuple[str, str, str]:
    return of.id, " ".join(of.fields), "deprecated" if of.deprecated else ""
