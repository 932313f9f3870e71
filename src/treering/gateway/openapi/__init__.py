"""OpenAPI 3.1 of all that the gateway answers, made from the declarations that it serves."""

from treering.gateway.openapi.document import OpenApi

__all__ = ["OpenApi"]
