"""The relay: recorded events to Kafka, in order, exactly once for who reads committed."""

from treering.relay.adopt import adopt
from treering.relay.checkpoint import Checkpoint
from treering.relay.relay import Relay, RelayOptions, RelayStatistics
from treering.relay.republish import republish

__all__ = ["Checkpoint", "Relay", "RelayOptions", "RelayStatistics", "adopt", "republish"]
