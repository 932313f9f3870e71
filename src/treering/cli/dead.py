"""`treering dead`: messages that could not be read as commands, and the way back for them."""

from cyclopts import App

from treering.bus import Letter, Topics, dead_list, dead_redrive, dead_show
from treering.cli import place
from treering.cli.output import say, show, table
from treering.errors import SettingsError

app = App(name="dead", help="Messages that could not be read as commands.")


@app.command(name="list")
async def list_(*, json: bool = False) -> None:
    """List the dead letters in the order they died.

        treering dead list

    Args:
        json: Print JSON instead of a table.

    """
    found = place.loaded()
    letters = await dead_list(place.kafka(found), Topics(found.namespace))
    if json:
        show([_shown(letter) for letter in letters])
    elif not letters:
        say("There is no dead letter.")
    else:
        rows = [
            (each.place, f"{each.died:%Y-%m-%d %H:%M:%S}", each.command, each.type, each.reason)
            for each in letters
        ]
        table(("name", "died", "command", "type", "reason"), rows)


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
        all: Send all of them.
        as_new: Give them new ids, which those that were too old need.

    """
    if bool(names) == all:
        raise SettingsError("Name dead letters, or say --all.")
    found = place.loaded()
    redriven = await dead_redrive(
        place.kafka(found),
        Topics(found.namespace),
        None if all else names,
        secret=found.secret(),
        as_new=as_new,
    )
    for each in redriven:
        say(f"{each.letter.place} went back as command {each.command}.")


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
