"""Read models: what a projection is, what folds it, and how it is read."""

from treering.projection.change import Change, apply, increment, patch, put, remove
from treering.projection.declaration import Fold, Projection, projection
from treering.projection.net import Net
from treering.projection.progress import Status
from treering.projection.projector import Projector, ProjectorOptions
from treering.projection.reading import Listing, ReadModels
from treering.projection.rebuild import rebuild

__all__ = [
    "Change", "Fold", "Listing", "Net", "Projection", "Projector", "ProjectorOptions", "ReadModels",
    "Status", "apply", "increment", "patch", "projection", "put", "rebuild", "remove",
]  # fmt: skip
