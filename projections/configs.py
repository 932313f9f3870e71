"""The configs there are, one row each: what `/api/v1/configs` answers with."""

from treering.domain.config import StoredConfig
from treering.projection import Projection

configs = Projection.of(StoredConfig)
