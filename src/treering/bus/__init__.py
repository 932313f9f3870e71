"""The bus: commands over Kafka, their outcomes, and what could not be read."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from treering.bus.asyncapi import asyncapi
from treering.bus.dead import Letter, NoDeadLetter, dead_list, dead_settled, dead_show
from treering.bus.envelope import LARGEST_BODY
from treering.bus.handler import Handler, HandlerOptions
from treering.bus.partitions import partition_of
from treering.bus.redrive import Redriven, dead_redrive
from treering.bus.settling import HandlerStatistics
from treering.bus.signature import sign
from treering.bus.topics import Topics, create_topics, partition_counts
from treering.bus.wire import CommandReader

if TYPE_CHECKING:
    from treering.bus.client import Client, OutcomeTimeout

__all__ = [
    "LARGEST_BODY", "Client", "CommandReader", "Handler", "HandlerOptions", "HandlerStatistics",
    "Letter", "NoDeadLetter", "OutcomeTimeout", "Redriven", "Topics", "asyncapi", "create_topics",
    "dead_list", "dead_redrive", "dead_settled", "dead_show", "partition_counts", "partition_of",
    "sign",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: handlers do without FastStream."""
    if name not in ("Client", "OutcomeTimeout"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.client"), name)
    return found
