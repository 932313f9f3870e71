"""`treering relay`: how far events are on Kafka, and what an operator may decide."""

from typing import Annotated

from cyclopts import App, Parameter

from treering.app.standing import sent_up_to
from treering.bus import Topics
from treering.cli import place
from treering.cli.output import say, show
from treering.relay import adopt, republish

app = App(name="relay", help="Events on their way to Kafka, and what an operator may decide.")


@app.command
async def status(*, json: bool = False) -> None:
    """Say up to which position events are on Kafka.

        treering relay status

    Args:
        json: Print JSON.

    """
    found = place.loaded()
    async with place.reader(found) as reader:
        sent = await sent_up_to(place.kafka(found), reader, Topics(found.namespace))
        head = (await reader.head()).position
    if json:
        show({"position": sent, "head": head, "lag": max(0, head - sent)})
    else:
        say(f"Events up to position {sent} of {head} are on Kafka.")


@app.command(name="adopt")
async def adopt_(*, position: int | None = None) -> None:
    """Take what is on Kafka for sent, where the relay will not guess, and let it go on from there.

        treering relay adopt

    Args:
        position: Go on after this position, instead of the newest that Kafka and the store share.

    """
    found = place.loaded()
    async with place.reader(found) as reader:
        mark = await adopt(
            place.kafka(found),
            reader,
            kinds=[*found.registry.deciders],
            owner=place.database_owner(found),
            position=position,
        )
    say(f"The relay goes on after position {mark.position}.")


@app.command(name="republish")
async def republish_(*, start: Annotated[int, Parameter(name="--from")], to_topic: str) -> None:
    """Send events again: to a topic of its own, or to a live one that has lost all it had.

        treering relay republish --from 1 --to-topic rebuild-search

    Args:
        start: The first position to send.
        to_topic: The topic; it is made if it is not there.

    """
    found = place.loaded()
    async with place.reader(found) as reader:
        count = await republish(
            place.kafka(found),
            reader,
            kinds=[*found.registry.deciders],
            start=start,
            topic=to_topic,
        )
    say(f"{count} events were sent to {to_topic}.")
