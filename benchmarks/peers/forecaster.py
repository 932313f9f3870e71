"""A chapkit service as its own documentation has it; `uvicorn forecaster:app` serves it."""

# pyright: basic, reportMissingImports=false
from chapkit import BaseConfig
from chapkit.api import ServiceBuilder, ServiceInfo


class LagModel(BaseConfig):
    """The values of a model."""

    n_lags: int = 3


app = (
    ServiceBuilder(info=ServiceInfo(id="lag-model", display_name="Lag model"))
    .with_config(LagModel)
    .build()
)
