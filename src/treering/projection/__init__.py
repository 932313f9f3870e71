"""Read models: what a projection is, and what folds it."""

from treering.projection.acceptance import accept, accept_same
from treering.projection.building import NEWS
from treering.projection.change import Change, apply, increment, patch, put, remove
from treering.projection.declaration import Fold, Projection, projection
from treering.projection.net import Net
from treering.projection.projector import Projector, ProjectorOptions
from treering.projection.pruning import prune
from treering.projection.rebuild import Rebuilt, rebuild
from treering.projection.status import Status

__all__ = [
    "NEWS", "Change", "Fold", "Net", "Projection", "Projector",
    "ProjectorOptions", "Rebuilt", "Status", "accept", "accept_same", "apply",
    "increment", "patch", "projection", "prune", "put", "rebuild", "remove",
]  # fmt: skip
