"""A service with one entity, of which there are many."""

from treering import Entity, Service

service = Service(id="ledger", display_name="Ledger", version="1.0.0")


class Entry(Entity):
    """What is written and read."""

    name: str
    amount: int
