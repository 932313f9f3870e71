"""Read models: what a projection is, what folds it, and how it is read."""

from treering.projection.acceptance import accept, accept_same
from treering.projection.building import NEWS
from treering.projection.change import Change, apply, increment, patch, put, remove
from treering.projection.declaration import Fold, Projection, projection
from treering.projection.net import Net
from treering.projection.projector import Projector, ProjectorOptions
from treering.projection.pruning import prune
from treering.projection.reading import Found, Listing, ReadModels
from treering.projection.rebuild import Rebuilt, rebuild
from treering.projection.status import Status

__all__ = [
    "NEWS", "Change", "Fold", "Found", "Listing", "Net", "Projection", "Projector",
    "ProjectorOptions", "ReadModels", "Rebuilt", "Status", "accept", "accept_same", "apply",
    "increment", "patch", "projection", "prune", "put", "rebuild", "remove",
]  # fmt: skip
