"""`treering dead`: messages that could not be read as commands, and the way back for them."""

from collections.abc import Mapping, Sequence

from cyclopts import App

from treering.bus import Letter, Topics, dead_list, dead_redrive, dead_settled, dead_show
from treering.cli import place
from treering.cli.output import say, show, table
from treering.errors import SettingsError

app = App(name="dead", help="Messages that could not be read as commands.")


@app.command(name="list")
async def list_(*, settled: bool = False, json: bool = False) -> None:
    """List the dead letters that are open: whose command has no verdict yet.

        treering dead list --settled

    Args:
        settled: Show those too that are settled, and how.
        json: Print JSON instead of a table.

    """
    found = place.loaded()
    letters = await dead_list(place.kafka(found), Topics(found.namespace))
    async with place.reader(found) as reader:
        ends = await dead_settled(reader, letters, secret=found.secret())
    listed = letters if settled else [each for each in letters if each.place not in ends]
    if json:
        show([_shown(each) | {"settled": ends.get(each.place)} for each in listed])
    elif listed:
        _print(listed, ends if settled else None)
    elif letters:
        say("No dead letter is open; --settled shows the others.")
    else:
        say("There is no dead letter.")


@app.command(name="show")
async def show_(name: str, /) -> None:
    """Print a dead letter as JSON, with its headers and its body.

        treering dead show 2-17

    Args:
        name: Its name in the list, or its command's id.

    """
    found = place.loaded()
    letter = await dead_show(place.kafka(found), Topics(found.namespace), name)
    headers = {key: (value or b"").decode(errors="replace") for key, value in letter.headers}
    body = (letter.record.value or b"").decode(errors="replace")
    show(_shown(letter) | {"headers": headers, "body": body})


@app.command
async def redrive(*names: str, all: bool = False, as_new: bool = False) -> None:
    """Send dead letters back to where they came from, under their old ids.

        treering dead redrive 2-17

    Args:
        names: Their names in the list, or their commands' ids.
        all: Send all that are open.
        as_new: Give them new ids, which those that were too old need; the same ones each time.

    """
    if bool(names) == all:
        raise SettingsError("Name dead letters, or say --all.")
    found = place.loaded()
    kafka = place.kafka(found)
    async with place.reader(found) as reader:
        redriven = await dead_redrive(
            kafka,
            Topics(found.namespace),
            reader,
            None if all else names,
            secret=found.secret(),
            as_new=as_new,
        )
    for each in redriven:
        say(f"{each.letter.place} went back as command {each.command}.")
    if not redriven:
        say("No dead letter is open.")


def _print(letters: Sequence[Letter], settled: Mapping[str, str] | None) -> None:
    """Print a table of *letters*; with a column for how they are *settled*, if that is asked."""
    titles = ["name", "died", "command", "type", "reason"]
    rows = [
        [each.place, f"{each.died:%Y-%m-%d %H:%M:%S}", each.command, each.type, each.reason]
        for each in letters
    ]
    if settled is not None:
        titles.insert(-1, "settled")
        for row, letter in zip(rows, letters, strict=True):
            row.insert(-1, settled.get(letter.place, "no"))
    table(titles, rows)


def _shown(letter: Letter) -> dict[str, object]:
    return {
        "name": letter.place,
        "command": letter.command,
        "type": letter.type,
        "subject": letter.subject,
        "error": letter.error,
        "reason": letter.reason,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "time": letter.time,
        "died": letter.died,
    }
