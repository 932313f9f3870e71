"""Which read models the gateway serves besides those of entities."""

from collections.abc import Sequence

from treering.app.shapes import read_model
from treering.entity import Entity
from treering.gateway import Table
from treering.projection import Projection


def tables(projections: Sequence[Projection], entities: Sequence[type[Entity]]) -> Sequence[Table]:
    """Return those of *projections* that are no entity's own, as they are served."""
    own = {each.declaration.plural for each in entities}
    return [
        Table(
            read_model=each.name,
            schema=read_model(each, entities),
            has_id=len(each.tables[0].primary_key.columns) == 1,
        )
        for each in projections
        if each.served and each.name not in own
    ]
